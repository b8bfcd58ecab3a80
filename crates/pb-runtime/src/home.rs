//! The home: one folder that holds everything of ours (`architecture.md` §2).

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::file_system::{self, Mount};

/// Longest path of a Unix socket, in bytes (`sockaddr_un` holds 108 with the terminator).
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Where everything of ours lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither `PB_HOME` nor `HOME` is set.
    #[error("neither PB_HOME nor HOME is set")]
    Unknown,
    /// The path of the socket would not fit.
    #[error(
        "the path {path} is {bytes} bytes long; a Unix socket's path has at most {SOCKET_PATH_BYTES_MAX}"
    )]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Somebody else could change what lies in it.
    #[error("{path} belongs to another user")]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// Another machine serves what it lies on.
    #[error("{path} lies on a network file system ({}, mounted at {})", mount.kind, mount.at.display())]
    Network {
        /// The folder.
        path: PathBuf,
        /// What it lies on.
        mount: Mount,
    },
    /// It cannot be made.
    #[error("cannot prepare {path}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Home {
    /// The home at `root`, made absolute.
    pub fn at(root: &Path) -> Result<Self, HomeError> {
        let root =
            std::path::absolute(root).map_err(|source| HomeError::Io { path: root.to_owned(), source })?;
        Ok(Self { root })
    }

    /// The home that the environment names: `PB_HOME`, else `~/.ponybunny`.
    pub fn from_environment() -> Result<Self, HomeError> {
        match (crate::environment::path("PB_HOME"), crate::environment::path("HOME")) {
            (Some(home), _) => Self::at(&home),
            (None, Some(user)) => Self::at(&user.join(".ponybunny")),
            (None, None) => Err(HomeError::Unknown),
        }
    }

    /// Refuses a home in which nothing can work: one whose sockets' paths do not fit, one on another machine, where
    /// neither a lock nor what was synced would be sure, and one of another user. Changes nothing.
    pub fn check(&self) -> Result<(), HomeError> {
        for socket in [self.gateway_socket(), self.supervisor_socket()] {
            let bytes = socket.as_os_str().len();
            if bytes > SOCKET_PATH_BYTES_MAX {
                return Err(HomeError::SocketPathTooLong { path: socket, bytes });
            }
        }
        match file_system::of(&self.root) {
            Some(mount) if file_system::is_of_others(&mount.kind) => {
                Err(HomeError::Network { path: self.root.clone(), mount })
            }
            Some(_) | None => self.check_owner(),
        }
    }

    /// Refuses a home of another user, or one that cannot even be looked at. One that is not there is ours to make.
    pub fn check_owner(&self) -> Result<(), HomeError> {
        match fs::metadata(&self.root) {
            Ok(meta) if meta.uid() != rustix::process::geteuid().as_raw() => {
                Err(HomeError::NotOurs { path: self.root.clone() })
            }
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(HomeError::Io { path: self.root.clone(), source })
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes the folders that are missing, private to us, in a home that passes [`Home::check`].
    pub fn prepare(&self) -> Result<(), HomeError> {
        self.check()?;
        for folder in [
            self.root.clone(),
            self.run(),
            self.logs(),
            self.workspaces(),
            self.artifacts(),
            self.kept(),
            self.temporary(),
        ] {
            make_private(&folder)?;
        }
        Ok(())
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The gateway's Unix socket.
    pub fn gateway_socket(&self) -> PathBuf {
        self.root.join("gateway.sock")
    }

    /// The scheduler's log.
    pub fn state_db(&self) -> PathBuf {
        self.root.join("state.db")
    }

    /// The gateway's inbox.
    pub fn gateway_db(&self) -> PathBuf {
        self.root.join("gateway.db")
    }

    /// The scheduler's debug events.
    pub fn trace_db(&self) -> PathBuf {
        self.root.join("trace.db")
    }

    /// How far the log was seen.
    pub fn state_mark(&self) -> PathBuf {
        self.root.join("state.mark")
    }

    /// Held by the scheduler for life.
    pub fn scheduler_lock(&self) -> PathBuf {
        self.root.join("scheduler.lock")
    }

    /// Held by the gateway for life.
    pub fn gateway_lock(&self) -> PathBuf {
        self.root.join("gateway.lock")
    }

    /// Held by the supervisor for life.
    pub fn supervisor_lock(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    /// Where the supervisor is asked.
    pub fn supervisor_socket(&self) -> PathBuf {
        self.run().join("supervisor.sock")
    }

    /// What the supervisor keeps running, for the next one.
    pub fn supervisor_json(&self) -> PathBuf {
        self.run().join("supervisor.json")
    }

    /// Where the supervisor hears from the process of this name.
    pub fn heard_socket(&self, name: &str) -> PathBuf {
        self.run().join(format!("{name}.heard"))
    }

    /// While it exists nothing is started: the kill switch.
    pub fn halt(&self) -> PathBuf {
        self.root.join("halt")
    }

    /// The token of our own clients.
    pub fn token(&self) -> PathBuf {
        self.root.join("token")
    }

    /// The certificate that other machines are shown, and its key.
    pub fn tls(&self) -> PathBuf {
        self.root.join("tls")
    }

    /// Where the gateway listens.
    pub fn gateway_json(&self) -> PathBuf {
        self.run().join("gateway.json")
    }

    /// What the running scheduler has to work with.
    pub fn scheduler_json(&self) -> PathBuf {
        self.run().join("scheduler.json")
    }

    /// Up to where in the log a person was told.
    pub fn notified_json(&self) -> PathBuf {
        self.run().join("notified.json")
    }

    /// Settings that a person edits.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// Keys that a person keeps; readable by us alone.
    pub fn credentials(&self) -> PathBuf {
        self.root.join("credentials.toml")
    }

    /// What running processes leave for each other.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Output of background processes.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Workspaces that were made for goals.
    pub fn workspaces(&self) -> PathBuf {
        self.root.join("workspaces")
    }

    /// What goals leave outside their workspace: manifests.
    pub fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// The person's files as they were before goals wrote.
    pub fn kept(&self) -> PathBuf {
        self.root.join("kept")
    }

    /// The person's personas, one TOML file each. Made by them, if at all.
    pub fn personas(&self) -> PathBuf {
        self.root.join("personas")
    }

    /// What `pb reset` put aside, a folder for each time.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// Each step's own TMPDIR.
    pub fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }
}

fn make_private(path: &Path) -> Result<(), HomeError> {
    let io = |source| HomeError::Io { path: path.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    let meta = fs::metadata(path).map_err(io)?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(HomeError::NotOurs { path: path.to_owned() });
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(io)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_private_and_its_socket_fits() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("家");
        let home = Home::at(&root).unwrap();
        home.prepare().unwrap();
        home.prepare().unwrap();
        assert_eq!(fs::metadata(home.run()).unwrap().mode() & 0o777, 0o700);

        let long = Home::at(&temporary.path().join("x".repeat(120))).unwrap();
        assert!(matches!(long.prepare(), Err(HomeError::SocketPathTooLong { .. })));
        assert!(!long.root().exists(), "nothing is made before the check");
    }
}
