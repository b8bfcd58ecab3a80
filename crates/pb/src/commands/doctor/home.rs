//! The home: is it there, is it ours, is it on this machine, and can nobody else look into it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::file_system;
use pb_runtime::home::SOCKET_PATH_BYTES_MAX;
use pb_runtime::{Home, halt};

use super::check::{Check, Level};

/// What others can do with a folder or a file, of its mode.
const OTHERS: u32 = 0o077;
/// What others can do to a file that is no secret, and must not: change it.
const OTHERS_WRITE: u32 = 0o022;

pub(super) fn look(home: &Home) -> Vec<Check> {
    let mut checks = vec![place(home)];
    checks.extend(file_system(home));
    if home.root().is_dir() {
        checks.push(owner(home));
        checks.push(permissions(home));
        if halt::is_set(home) {
            let found = "everything was stopped with pb stop --all, so nothing starts";
            checks.push(Check::warning("halt", found, "when it may go on: pb start"));
        }
    }
    checks
}

fn place(home: &Home) -> Check {
    let root = home.root();
    let bytes = home.gateway_socket().as_os_str().len();
    if bytes > SOCKET_PATH_BYTES_MAX {
        let found = format!("{} is so long that the path of its socket does not fit", root.display());
        return Check::problem("home", found, "set PB_HOME to a folder with a shorter path");
    }
    match fs::metadata(root) {
        Ok(meta) if meta.is_dir() => Check::ok("home", root.display()),
        Ok(_) => {
            let found = format!("{} is no folder", root.display());
            Check::problem("home", found, "move it away, or set PB_HOME to another place")
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::ok("home", format_args!("{} is not there yet; pb start makes it", root.display()))
        }
        Err(error) => {
            let found = format!("{} cannot be looked at: {error}", root.display());
            Check::problem("home", found, "set PB_HOME to a folder that is yours")
        }
    }
}

fn file_system(home: &Home) -> Option<Check> {
    let mount = file_system::of(home.root())?;
    let found = format!("{}, mounted at {}", mount.kind, mount.at.display());
    Some(if file_system::is_of_others(&mount.kind) {
        let advice =
            "set PB_HOME to a folder on a disk of this machine: gateway and scheduler refuse this one";
        Check::problem("file system", format_args!("{found}: a network file system"), advice)
    } else {
        Check::ok("file system", found)
    })
}

/// What is in a home, with what others must not be able to do with it.
fn guarded(home: &Home) -> Vec<(PathBuf, u32)> {
    let folders = [
        home.root().to_owned(),
        home.run(),
        home.logs(),
        home.workspaces(),
        home.artifacts(),
        home.kept(),
        home.temporary(),
        home.tls(),
    ];
    let mut guarded: Vec<_> = folders.into_iter().map(|folder| (folder, OTHERS)).collect();
    guarded.extend([home.credentials(), home.token()].map(|secret| (secret, OTHERS)));
    guarded.push((home.config(), OTHERS_WRITE));
    let keys = fs::read_dir(home.tls()).into_iter().flatten().flatten();
    guarded.extend(keys.map(|entry| (entry.path(), OTHERS)));
    guarded.extend(
        [home.state_db(), home.gateway_db(), home.trace_db(), home.scheduler_lock(), home.gateway_lock()]
            .map(|file| (file, OTHERS_WRITE)),
    );
    guarded.retain(|(path, _)| path.exists());
    guarded
}

fn owner(home: &Home) -> Check {
    let user = rustix::process::geteuid().as_raw();
    let of_others = guarded(home).into_iter().find_map(|(path, _)| {
        let owner = fs::metadata(&path).ok()?.uid();
        (owner != user).then_some((path, owner))
    });
    match of_others {
        None => Check::ok("owner", "everything is yours"),
        Some((path, owner)) => {
            let found = format!("{} belongs to user {owner}, and you are user {user}", path.display());
            let advice =
                format!("take another PB_HOME, or as root: chown -R {user} {}", home.root().display());
            Check::problem("owner", found, advice)
        }
    }
}

fn permissions(home: &Home) -> Check {
    let open: Vec<(PathBuf, u32)> = guarded(home)
        .into_iter()
        .filter(|(path, must_not)| mode(path).is_some_and(|mode| mode & must_not != 0))
        .collect();
    if open.is_empty() {
        return Check::ok("permissions", "closed to others");
    }
    let shown: Vec<String> = open
        .iter()
        .map(|(path, _)| format!("{} ({:03o})", path.display(), mode(path).unwrap_or_default()))
        .collect();
    let found = format!("open to others: {}", shown.join(", "));
    Check::mendable(Level::Problem, "permissions", found, move || close(open))
}

fn close(open: Vec<(PathBuf, u32)>) -> anyhow::Result<String> {
    let mut closed = Vec::new();
    for (path, must_not) in open {
        let mode = mode(&path).unwrap_or_default();
        let done = fs::set_permissions(&path, Permissions::from_mode(mode & !must_not));
        done.with_context(|| format!("cannot change the permissions of {}", path.display()))?;
        closed.push(path.display().to_string());
    }
    Ok(format!("closed {}", closed.join(", ")))
}

/// Permissions of what is there and no link, which has none of its own.
fn mode(path: &Path) -> Option<u32> {
    let meta = fs::symlink_metadata(path).ok()?;
    (!meta.is_symlink()).then_some(meta.mode() & 0o777)
}
