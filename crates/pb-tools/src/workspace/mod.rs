//! The workspace as file tools see it: one open folder that no path leads out of.
//!
//! Every path is resolved by the kernel beneath that folder (`openat2`, by cap-std), so `..`,
//! links, `/proc/self/root` and a link that is swapped in at the wrong moment all end here.

mod error;
mod read;
mod rules;
mod walk;
mod write;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures_util::future::BoxFuture;

use crate::text::one_line;
use crate::{Output, Scope, ToolError};

pub(crate) use error::explain;
pub(crate) use walk::{Entry, Kind, Limits};
pub use write::is_unfinished;

/// Longest path that an error repeats, in characters.
const SHOWN_PATH_CHARS_MAX: usize = 300;

/// The workspace, opened for one call.
#[derive(Debug)]
pub(crate) struct Workspace {
    dir: Dir,
    root: PathBuf,
}

/// Does file work in the scope's workspace, on a thread where it may block.
pub(crate) fn in_workspace<'a, W>(scope: &Scope, work: W) -> BoxFuture<'a, Result<Output, ToolError>>
where
    W: FnOnce(&Workspace) -> Result<Output, ToolError> + Send + 'static,
{
    let root = scope.workspace.clone();
    Box::pin(async move {
        tokio::task::spawn_blocking(move || work(&Workspace::open(&root)?))
            .await
            .unwrap_or_else(|error| Err(ToolError::Unknown(format!("the tool broke off: {error}"))))
    })
}

impl Workspace {
    /// Opens the workspace, whose path is the scheduler's and trusted.
    pub(crate) fn open(root: &Path) -> Result<Self, ToolError> {
        let dir = Dir::open_ambient_dir(root, ambient_authority()).map_err(|error| {
            ToolError::Host(format!("cannot open the workspace {}: {error}", root.display()))
        })?;
        Ok(Self { dir, root: root.to_owned() })
    }

    /// What the model means by `path`, relative to the workspace; nothing is looked up yet.
    pub(crate) fn resolve(&self, path: &str) -> Result<PathBuf, ToolError> {
        if path.is_empty() {
            return Err(ToolError::Model("the path is empty".to_owned()));
        }
        if path.contains('\0') {
            return Err(ToolError::Model("the path contains a zero byte".to_owned()));
        }
        let given = Path::new(path);
        let relative = if given.is_absolute() {
            given.strip_prefix(&self.root).map_err(|_| outside(path))?
        } else if given.iter().next() == Some(OsStr::new("~")) {
            return Err(outside(path));
        } else {
            given
        };
        let here = relative.as_os_str().is_empty();
        Ok(if here { PathBuf::from(".") } else { relative.to_owned() })
    }

    /// Whether `path` is a file, or at least no folder.
    pub(crate) fn is_file(&self, path: &str) -> Result<bool, ToolError> {
        let relative = self.resolve(path)?;
        let metadata = self.dir.metadata(&relative).map_err(|error| explain(path, &error))?;
        Ok(!metadata.is_dir())
    }

    /// The folder at `path` with all links followed, relative to the workspace and without dots;
    /// empty for the workspace itself.
    pub(crate) fn folder(&self, path: &str) -> Result<PathBuf, ToolError> {
        let relative = self.resolve(path)?;
        let real = self.dir.canonicalize(&relative).map_err(|error| explain(path, &error))?;
        if !self.dir.metadata(&real).map_err(|error| explain(path, &error))?.is_dir() {
            return Err(ToolError::Model(format!("{}: not a folder", name(path))));
        }
        Ok(if real == Path::new(".") { PathBuf::new() } else { real })
    }
}

/// A path that a model gave, as an error may repeat it.
pub(crate) fn name(path: &str) -> String {
    one_line(path, SHOWN_PATH_CHARS_MAX)
}

fn outside(path: &str) -> ToolError {
    ToolError::Model(format!("{}: outside of the workspace; use run_command to read other files", name(path)))
}
