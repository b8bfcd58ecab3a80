//! What went wrong with a path, by who can mend it.

use std::io;

use rustix::io::Errno;

use super::{name, outside};
use crate::ToolError;

/// An error of the system about a path that a model gave.
pub(crate) fn explain(path: &str, error: &io::Error) -> ToolError {
    let shown = name(path);
    let Some(errno) = Errno::from_io_error(error) else {
        // The only error that is not of the system: cap-std saw a path lead out.
        return match error.kind() {
            io::ErrorKind::PermissionDenied => outside(path),
            _ => ToolError::Host(format!("{shown}: {error}")),
        };
    };
    let why = match errno {
        Errno::NOENT => "no such file or folder; list_dir shows what there is",
        Errno::NOTDIR => "a part of the path is a file, not a folder",
        Errno::ISDIR => "is a folder",
        Errno::ACCESS | Errno::PERM => "permission denied",
        Errno::NAMETOOLONG => "the name is too long",
        Errno::LOOP => "too many links",
        Errno::ROFS => "the file system is read-only",
        Errno::TXTBSY => "is a program that runs",
        Errno::INVAL => "the name is not valid here",
        // A socket, or a device without a driver.
        Errno::NXIO | Errno::NODEV | Errno::OPNOTSUPP => "not a regular file",
        Errno::XDEV => return outside(path),
        _ => return ToolError::Host(format!("{shown}: {error}")),
    };
    ToolError::Model(format!("{shown}: {why}"))
}
