//! Which folders a goal may work in. `/`, the user's home and any folder that holds our own are
//! refused: a goal that writes there could change what it must not.

use std::path::{Path, PathBuf};

use pb_model::GoalId;
use pb_runtime::{Home, environment};

/// Why a folder is not a workspace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is `/`.
    #[error("the workspace `/` is the whole machine")]
    Root,
    /// It is the user's home.
    #[error("the workspace `{0}` is your home folder")]
    UserHome(PathBuf),
    /// It holds our own folder.
    #[error("the workspace `{0}` is or holds PonyBunny's own folder")]
    HoldsHome(PathBuf),
    /// It lies in our own folder, but is not a workspace.
    #[error("the workspace `{0}` lies in PonyBunny's own folder")]
    InHome(PathBuf),
    /// It holds credentials.
    #[error("the workspace `{0}` is or holds a folder for credentials")]
    Credentials(PathBuf),
    /// It is not a folder that can be used.
    #[error("the workspace `{path}` cannot be used: {reason}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Refused {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Root | Self::UserHome(_) => {
                "name a folder of its own with --workspace, or leave it out for a new one"
            }
            Self::HoldsHome(_) | Self::InHome(_) => {
                "name a folder beside it with --workspace, or leave it out for a new one"
            }
            Self::Credentials(_) => "work in a folder that holds no keys",
            Self::Unusable { .. } => "name a folder that you can write to with --workspace",
        }
    }
}

/// Whether a goal may work in `requested`; without one, it gets a new folder.
pub(crate) async fn admit(home: &Home, requested: Option<&str>) -> Result<(), Refused> {
    let (home, requested) = (home.clone(), requested.map(PathBuf::from));
    in_background(move || match requested {
        Some(path) => check(&home, &path).map(|_| ()),
        None => Ok(()),
    })
    .await
}

/// Makes the goal's folder if it has to be made; its canonical path.
pub(crate) async fn make(home: &Home, goal: GoalId, requested: Option<&str>) -> Result<PathBuf, Refused> {
    let (home, requested) = (home.clone(), requested.map(PathBuf::from));
    in_background(move || {
        let path = requested.unwrap_or_else(|| home.workspaces().join(goal.to_string()));
        check(&home, &path)?;
        std::fs::create_dir_all(&path)
            .map_err(|error| Refused::Unusable { path: path.clone(), reason: error.to_string() })?;
        check(&home, &path)
    })
    .await
}

async fn in_background<T, F>(work: F) -> Result<T, Refused>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Refused> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(join) if join.is_panic() => std::panic::resume_unwind(join.into_panic()),
        Err(_) => std::future::pending().await, // The runtime is shutting down.
    }
}

/// The canonical path of a folder that may be a workspace. One that does not exist yet is judged
/// by where it would be.
fn check(home: &Home, path: &Path) -> Result<PathBuf, Refused> {
    let unusable = |reason: String| Refused::Unusable { path: path.to_owned(), reason };
    if !path.is_absolute() {
        return Err(unusable("it is not an absolute path".to_owned()));
    }
    let real = canonical_or_future(path).map_err(|error| unusable(error.to_string()))?;
    if real.exists() && !real.is_dir() {
        return Err(unusable("it is not a folder".to_owned()));
    }
    if real == Path::new("/") {
        return Err(Refused::Root);
    }
    let ours = canonical_or_future(home.root()).map_err(|error| unusable(error.to_string()))?;
    if ours.starts_with(&real) {
        return Err(Refused::HoldsHome(real));
    }
    if real.starts_with(&ours) && !is_inside(&real, &ours.join("workspaces")) {
        return Err(Refused::InHome(real));
    }
    if let Some(user) = environment::path("HOME").and_then(|user| user.canonicalize().ok()) {
        if user.starts_with(&real) {
            return Err(Refused::UserHome(real));
        }
        let secret = |secret: &PathBuf| real.starts_with(secret) || secret.starts_with(&real);
        if pb_exec::credential_paths(&user).iter().any(secret) {
            return Err(Refused::Credentials(real));
        }
    }
    Ok(real)
}

fn is_inside(path: &Path, folder: &Path) -> bool {
    path.starts_with(folder) && path != folder
}

/// The canonical path; the missing end of a path that does not exist yet is appended as it is.
fn canonical_or_future(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(error);
            };
            Ok(canonical_or_future(parent)?.join(name))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_folders_are_refused_by_what_they_really_are() {
        let temporary = tempfile::tempdir().unwrap();
        let base = temporary.path().canonicalize().unwrap();
        let home = Home::at(&base.join("pb")).unwrap();
        home.prepare().unwrap();
        std::fs::create_dir(base.join("work")).unwrap();
        std::os::unix::fs::symlink("/", base.join("alias")).unwrap();
        let refused = |path: &Path| check(&home, path).unwrap_err();

        assert_eq!(refused(Path::new("/")), Refused::Root);
        assert_eq!(refused(&base.join("alias")), Refused::Root);
        assert_eq!(refused(&base.join("work/../../../../../../..")), Refused::Root);
        assert_eq!(refused(&base), Refused::HoldsHome(base.clone()));
        assert_eq!(refused(home.root()), Refused::HoldsHome(home.root().to_owned()));
        assert_eq!(refused(&home.logs()), Refused::InHome(home.logs()));
        assert_eq!(refused(&home.workspaces()), Refused::InHome(home.workspaces()));
        assert_eq!(refused(&home.workspaces().join("..")), Refused::HoldsHome(home.root().to_owned()));
        assert_eq!(refused(&home.workspaces().join("../logs")), Refused::InHome(home.logs()));
        assert!(matches!(refused(Path::new("relative")), Refused::Unusable { .. }));

        assert_eq!(check(&home, &base.join("work")), Ok(base.join("work")));
        assert_eq!(check(&home, &base.join("work/new/deeper")), Ok(base.join("work/new/deeper")));
        assert_eq!(check(&home, &home.workspaces().join("mine")), Ok(home.workspaces().join("mine")));
    }
}
