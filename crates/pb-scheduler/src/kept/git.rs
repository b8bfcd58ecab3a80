//! Keeping a workspace as a commit of its own repository.
//!
//! Only plumbing, with an index of our own: neither the person's index nor their branches are touched. And
//! nothing that a repository configures is run: no hooks, filters, monitors or remotes.

use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use pb_model::GoalId;
use pb_model::goal::Kept;
use pb_runtime::Home;

use super::record::{self, FileRecord, Mode, Record};
use super::{KeptError, Which};
use crate::workspace::Manifest;

/// Settings that keep a repository from running anything.
const SAFE: [&str; 6] =
    ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false"];

/// Whether the folder is in a repository that git is willing to use.
pub(super) fn is_repository(folder: &Path) -> bool {
    let found = folder.ancestors().any(|folder| folder.join(".git").exists());
    found && run(folder, "rev-parse", &["--git-dir"], None).is_ok()
}

/// Makes the commit.
pub(super) fn keep(
    home: &Home,
    (goal, which): (GoalId, Which),
    folder: &Path,
    now: &Manifest,
) -> Result<Record, KeptError> {
    let mut files = record::files(folder, now)?;
    // A list of paths has one a line, and reads one that begins with a quote as quoted.
    let by_itself = |(name, file): &(&String, &FileRecord)| {
        file.mode == Mode::Link || name.contains('\n') || name.starts_with('"')
    };
    let (other, plain): (Vec<_>, Vec<_>) = files.iter().partition(by_itself);
    let mut objects: Vec<(String, String)> = Vec::new();
    if !plain.is_empty() {
        let paths = plain.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("\n");
        let arguments = ["-w", "--no-filters", "--stdin-paths"];
        let said = run(folder, "hash-object", &arguments, Some(paths.as_bytes()))?;
        let said = String::from_utf8_lossy(&said).into_owned();
        objects.extend(plain.iter().map(|(name, _)| (*name).clone()).zip(said.lines().map(str::to_owned)));
    }
    for (name, _) in other {
        let path = folder.join(name);
        let read = match Mode::of(&path) {
            Ok(Some(Mode::Link)) => fs::read_link(&path).map(|target| target.as_os_str().as_bytes().to_vec()),
            _ => fs::read(&path),
        };
        let content = read.map_err(KeptError::io("cannot read", &path))?;
        let said = run(folder, "hash-object", &["-w", "--no-filters", "--stdin"], Some(&content))?;
        objects.push((name.clone(), String::from_utf8_lossy(&said).trim().to_owned()));
    }
    let mut entries = Vec::new();
    for (name, object) in objects {
        let Some(file) = files.get_mut(&name) else { continue };
        let mode = match file.mode {
            Mode::File => "100644",
            Mode::Executable => "100755",
            Mode::Link => "120000",
        };
        entries.extend_from_slice(format!("{mode} {object}\t{name}\0").as_bytes());
        file.object = Some(object);
    }
    let commit = commit(home, (goal, which), folder, &entries)?;
    Ok(Record { kept: Kept::Git { commit }, files })
}

/// Writes tree, commit and reference.
fn commit(
    home: &Home,
    (goal, which): (GoalId, Which),
    folder: &Path,
    entries: &[u8],
) -> Result<String, KeptError> {
    let index = home.temporary().join(format!("{}.index", which.name(goal)));
    // Of a try before that was killed.
    let _ = fs::remove_file(&index);
    run_with(folder, &index, "update-index", &["-z", "--index-info"], Some(entries))?;
    let tree = word(&run_with(folder, &index, "write-tree", &[], None)?);
    let _ = fs::remove_file(&index);
    let head = run(folder, "rev-parse", &["--verify", "--quiet", "HEAD^{commit}"], None)
        .ok()
        .map(|head| word(&head));
    let when = match which {
        Which::Start => "before",
        Which::Undone => "after",
    };
    let message = format!("The workspace {when} {goal}\n");
    let mut arguments = vec![tree.as_str()];
    if let Some(head) = &head {
        arguments.extend(["-p", head]);
    }
    let commit = word(&run(folder, "commit-tree", &arguments, Some(message.as_bytes()))?);
    run(folder, "update-ref", &[&reference(goal, which), &commit], None)?;
    Ok(commit)
}

/// The content of an object.
pub(super) fn content(folder: &Path, object: &str) -> Result<Vec<u8>, KeptError> {
    run(folder, "cat-file", &["blob", object], None)
}

/// Deletes the reference; git itself drops the commit when it cleans up.
pub(super) fn forget((goal, which): (GoalId, Which), folder: &Path) -> Result<(), KeptError> {
    run(folder, "update-ref", &["-d", &reference(goal, which)], None).map(|_| ())
}

fn reference(goal: GoalId, which: Which) -> String {
    format!("refs/ponybunny/{}", which.name(goal))
}

fn word(said: &[u8]) -> String {
    String::from_utf8_lossy(said).trim().to_owned()
}

fn run(
    folder: &Path,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Vec<u8>, KeptError> {
    run_with(folder, Path::new(""), command, arguments, input)
}

/// Runs git to its end, with an index of ours if one is given.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec confines what goals run; this is git's plumbing, run for us"
)]
fn run_with(
    folder: &Path,
    index: &Path,
    command: &'static str,
    arguments: &[&str],
    input: Option<&[u8]>,
) -> Result<Vec<u8>, KeptError> {
    let failed = |said: String| KeptError::Git { command, said };
    let mut git = Command::new("git");
    git.args(SAFE)
        .arg(command)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .envs(pb_runtime::environment::text("PATH").map(|path| ("PATH", path)))
        .envs([
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_AUTHOR_NAME", "PonyBunny"),
            ("GIT_AUTHOR_EMAIL", "ponybunny@localhost"),
            ("GIT_COMMITTER_NAME", "PonyBunny"),
            ("GIT_COMMITTER_EMAIL", "ponybunny@localhost"),
        ])
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !index.as_os_str().is_empty() {
        git.env("GIT_INDEX_FILE", index);
    }
    let mut child = git.spawn().map_err(|error| failed(error.to_string()))?;
    let writer = child.stdin.take().zip(input).map(|(mut pipe, input)| {
        let input = input.to_vec();
        // Beside the reading, for git answers while it still reads.
        std::thread::spawn(move || pipe.write_all(&input))
    });
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if let Some(writer) = writer {
        // A git that ended without reading says why itself.
        let _ = writer.join();
    }
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// Runs any subcommand, as a person in a test would.
#[cfg(test)]
pub(super) fn raw(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, KeptError> {
    let (command, rest) = arguments.split_first().unwrap();
    let command: &'static str = Box::leak((*command).to_owned().into_boxed_str());
    run(folder, command, rest, None)
}
