//! What a yes to a call is for (`security.md` 13): everything that decides what would run.
//!
//! A command is looked through to what it names: `sh -c './deploy.sh'`, `env X=1 python3 tool.py` and
//! `xargs rm` bind the shell, the wrapper and each file that their arguments name, in the folder or on the
//! path. What a file itself starts is not followed: for that the confinement is there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use pb_model::approval::BoundCall;
use pb_tools::{ApprovedCall, Command};

use super::think::beginning;

/// Most files that one call may name.
const FILES_MAX: usize = 64;
/// Most arguments that a person is shown of a tool that runs nothing, in bytes.
const SHOWN_BYTES_MAX: usize = 4 * 1024;

/// Where a call would be made.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The goal's folder.
    pub(super) workspace: PathBuf,
    /// Every variable that a command is given, but for those that are of one step.
    pub(super) env: BTreeMap<String, String>,
}

/// Why a call cannot be bound; for the model.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unbound {
    #[error("it names more than {FILES_MAX} files, so nobody could look at all of them: name fewer")]
    TooMany,
    #[error("{path}, which it names, cannot be read: {error}")]
    Unreadable { path: String, error: io::Error },
    #[error("the machine could not look at the files: {0}")]
    Host(String),
}

/// Everything that a yes to this call is for, as it is now.
pub(super) async fn bind(call: &ApprovedCall, place: Place) -> Result<BoundCall, Unbound> {
    let (tool, arguments, command) = (call.name(), call.arguments().to_string(), call.command());
    let bind = move || match command {
        Some(command) => of_command(tool, command, &place),
        None => Ok(of_arguments(tool, &arguments)),
    };
    tokio::task::spawn_blocking(bind).await.unwrap_or_else(|error| Err(Unbound::Host(error.to_string())))
}

fn of_arguments(tool: &str, arguments: &str) -> BoundCall {
    let shown = beginning(arguments, SHOWN_BYTES_MAX);
    let bound = BoundCall { tool: tool.to_owned(), arguments: shown, ..BoundCall::default() };
    let digest = digest_of(&[tool, arguments], std::iter::empty());
    BoundCall { digest, ..bound }
}

fn of_command(tool: &str, command: Command, place: &Place) -> Result<BoundCall, Unbound> {
    let cwd = command.cwd.as_ref().map_or_else(|| place.workspace.clone(), |cwd| place.workspace.join(cwd));
    let path = place.env.get("PATH").map_or("", String::as_str);
    let mut named = BTreeSet::new();
    for word in &command.argv {
        for name in std::iter::once(word.as_str()).chain(names(word)) {
            named.extend(meant(name, &cwd, path));
        }
    }
    if named.len() > FILES_MAX {
        return Err(Unbound::TooMany);
    }
    let mut files = BTreeMap::new();
    for file in named {
        let shown = file.to_string_lossy().into_owned();
        match digest_of_file(&file) {
            Ok(digest) => drop(files.insert(shown, digest)),
            Err(error) => return Err(Unbound::Unreadable { path: shown, error }),
        }
    }
    let cwd = cwd.to_string_lossy().into_owned();
    let limit = command.time_limit_s.to_string();
    let argv = command.argv.iter().map(String::as_str);
    let fixed: Vec<&str> = [tool, &cwd, &limit].into_iter().chain(argv).collect();
    let pairs = place.env.iter().chain(&files).flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let digest = digest_of(&fixed, pairs);
    let env = place.env.keys().cloned().collect();
    let tool = tool.to_owned();
    Ok(BoundCall { tool, argv: command.argv, arguments: String::new(), cwd, env, files, digest })
}

/// The words of an argument that may be names of files: what a shell would take apart.
fn names(argument: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "'\"`$(){}[];&|<>=,:*?#!".contains(c);
    argument.split(ends).filter(|name| !name.is_empty())
}

/// The files that a name may mean: in the folder, and on the path.
fn meant(name: &str, cwd: &Path, path: &str) -> Vec<PathBuf> {
    let mut meant = Vec::new();
    let here = cwd.join(name);
    if here.is_file() {
        meant.push(here);
    }
    if !name.contains('/') {
        let on_path = std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
        meant.extend(on_path);
    }
    meant
}

fn digest_of_file(file: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(std::fs::File::open(file)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// A digest in which each part keeps to itself.
fn digest_of<'a>(fixed: &[&'a str], pairs: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(fixed.len() as u64).to_le_bytes());
    for part in fixed.iter().copied().chain(pairs) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn command(argv: &[&str]) -> Command {
        Command { argv: argv.iter().map(|word| (*word).to_owned()).collect(), cwd: None, time_limit_s: 9 }
    }

    fn place(workspace: &Path, bin: &Path) -> Place {
        let env = BTreeMap::from([
            ("PATH".to_owned(), bin.to_str().unwrap().to_owned()),
            ("PB_INPUT_WHO".to_owned(), "安".to_owned()),
        ]);
        Place { workspace: workspace.to_owned(), env }
    }

    fn bound(place: &Place, argv: &[&str]) -> BoundCall {
        of_command("run_command", command(argv), place).unwrap()
    }

    fn named(bound: &BoundCall) -> Vec<String> {
        let name = |path: &String| Path::new(path).file_name().unwrap().to_str().unwrap().to_owned();
        let mut names: Vec<String> = bound.files.keys().map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn security_13_wrappers_are_looked_through() {
        let folder = tempfile::tempdir().unwrap();
        let (workspace, bin) = (folder.path().join("w"), folder.path().join("bin"));
        for made in [&workspace, &bin] {
            fs::create_dir(made).unwrap();
        }
        for name in ["sh", "env", "python3", "deploy", "xargs"] {
            let file = bin.join(name);
            fs::write(&file, name).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["部署.sh", "tool.py", "data"] {
            fs::write(workspace.join(name), name).unwrap();
        }
        let place = place(&workspace, &bin);
        let all = |argv: &[&str]| named(&bound(&place, argv));
        assert_eq!(all(&["sh", "-c", "X=1 ./部署.sh>out; deploy data"]), ["data", "deploy", "sh", "部署.sh"]);
        assert_eq!(all(&["env", "A=b", "python3", "tool.py"]), ["env", "python3", "tool.py"]);
        assert_eq!(all(&["xargs", "deploy"]), ["deploy", "xargs"]);
        assert_eq!(all(&["sh", "-c", "cat $(deploy)"]), ["deploy", "sh"]);
    }

    #[test]
    fn security_13_whatever_decides_what_runs_is_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (workspace, bin) = (folder.path().join("w"), folder.path().join("bin"));
        fs::create_dir_all(workspace.join("sub")).unwrap();
        fs::create_dir(&bin).unwrap();
        fs::write(workspace.join("do.sh"), "echo 1").unwrap();
        let at = place(&workspace, &bin);
        let first = bound(&at, &["./do.sh", "a", "b"]).digest;
        assert_eq!(bound(&at, &["./do.sh", "a", "b"]).digest, first);
        // Words are not glued together.
        assert_ne!(bound(&at, &["./do.sh", "a b"]).digest, first);
        assert_ne!(bound(&at, &["./do.sh", "a", "c"]).digest, first);
        let mut other = at.clone();
        other.env.insert("PB_INPUT_WHO".to_owned(), "宁".to_owned());
        assert_ne!(bound(&other, &["./do.sh", "a", "b"]).digest, first);
        let elsewhere = Command { cwd: Some("sub".to_owned()), ..command(&["./do.sh", "a", "b"]) };
        assert_ne!(of_command("run_command", elsewhere, &at).unwrap().digest, first);
        fs::write(workspace.join("do.sh"), "echo 2").unwrap();
        assert_ne!(bound(&at, &["./do.sh", "a", "b"]).digest, first);
    }

    #[test]
    fn what_nobody_could_look_at_is_not_asked() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..=FILES_MAX).map(|n| format!("f{n}")).collect();
        for name in &names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let words: Vec<&str> = names.iter().map(String::as_str).collect();
        let place = place(folder.path(), folder.path());
        assert!(matches!(of_command("run_command", command(&words), &place), Err(Unbound::TooMany)));
    }
}
