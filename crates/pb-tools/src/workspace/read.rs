//! Opening files for reading.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::{Workspace, explain, name};
use crate::ToolError;

impl Workspace {
    /// Opens the regular file at `path`, and says how many bytes it has.
    pub(crate) fn open_file(&self, path: &str) -> Result<(File, u64), ToolError> {
        let relative = self.resolve(path)?;
        let file = self.open_for_reading(&relative).map_err(|error| explain(path, &error))?;
        let metadata = file.metadata().map_err(|error| explain(path, &error))?;
        if metadata.is_dir() {
            return Err(ToolError::Model(format!("{}: is a folder; use list_dir", name(path))));
        }
        if !metadata.is_file() {
            return Err(ToolError::Model(format!("{}: not a regular file", name(path))));
        }
        Ok((file, metadata.len()))
    }

    /// Opens the regular file at `relative`; `None` if what is there is something else.
    pub(crate) fn open_regular(&self, relative: &Path) -> io::Result<Option<File>> {
        let file = self.open_for_reading(relative)?;
        Ok(file.metadata()?.is_file().then_some(file))
    }

    /// Reads at most `bytes_max` bytes of the regular file at `relative`.
    pub(crate) fn read_small(&self, relative: &Path, bytes_max: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open_regular(relative).ok()??.take(bytes_max).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Does not wait for the other end of a pipe, and takes no terminal: the kind is known only
    /// from what was opened, for the name may stand for something else a moment later.
    fn open_for_reading(&self, relative: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
        Ok(self.dir.open_with(relative, &options)?.into_std())
    }
}
