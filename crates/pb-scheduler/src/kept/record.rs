//! The record of kept files, and copies of them in the home.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pb_model::GoalId;
use pb_model::goal::Kept;
use pb_runtime::Home;
use serde::{Deserialize, Serialize};

use super::{COPY_BYTES_MAX, KeptError, Which, git};
use crate::workspace::{Manifest, file_digest};

/// Name of a copy that is being made.
pub(super) const UNFINISHED: &str = "unfinished";

/// What was in a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) kept: Kept,
    /// By path relative to the workspace.
    pub(super) files: BTreeMap<String, FileRecord>,
}

/// A kept file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRecord {
    pub(super) mode: Mode,
    /// Digest of its content (blake3, hex); of a link, of its target's name.
    pub(super) digest: String,
    /// Its object in the repository, if it is kept there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) object: Option<String>,
}

/// What kind of file it is. Pipes, sockets and devices are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    File,
    Executable,
    Link,
}

impl Mode {
    /// The kind of the file at a path; `None` for what is not kept.
    pub(super) fn of(path: &Path) -> std::io::Result<Option<Self>> {
        let meta = path.symlink_metadata()?;
        Ok(if meta.is_symlink() {
            Some(Self::Link)
        } else if !meta.is_file() {
            None
        } else if meta.permissions().mode() & 0o111 == 0 {
            Some(Self::File)
        } else {
            Some(Self::Executable)
        })
    }
}

/// The files of a manifest, with what a manifest does not say.
pub(super) fn files(folder: &Path, now: &Manifest) -> Result<BTreeMap<String, FileRecord>, KeptError> {
    let mut files = BTreeMap::new();
    for (name, mark) in &now.files {
        let path = folder.join(name);
        let Some(mode) = Mode::of(&path).map_err(KeptError::io("cannot look at", &path))? else { continue };
        // Of large files a manifest has no digest of the content.
        let digest = if mark.digest.starts_with("stamp:") {
            file_digest(&path).map_err(KeptError::io("cannot read", &path))?
        } else {
            mark.digest.clone()
        };
        files.insert(name.clone(), FileRecord { mode, digest, object: None });
    }
    Ok(files)
}

/// Copies every file into the home, named by its digest: equal files are kept once.
pub(super) fn copy(
    home: &Home,
    of: (GoalId, Which),
    folder: &Path,
    now: &Manifest,
) -> Result<Record, KeptError> {
    let bytes: u64 = now.files.values().map(|mark| mark.size).sum();
    if bytes > COPY_BYTES_MAX {
        let why = format!("the folder holds {bytes} bytes, at most {COPY_BYTES_MAX} are copied");
        return Ok(Record { kept: Kept::Not { why }, files: BTreeMap::new() });
    }
    let files = files(folder, now)?;
    let to = folder_of(home, of);
    fs::create_dir_all(&to).map_err(KeptError::io("cannot make", &to))?;
    for (name, file) in &files {
        let (from, whole) = (folder.join(name), to.join(&file.digest));
        if whole.exists() {
            continue;
        }
        // What has its name is whole: a copy that a kill cut off has not.
        let to = to.join(UNFINISHED);
        // It may be one that cannot be written to.
        let _ = fs::remove_file(&to);
        let copied = match file.mode {
            Mode::Link => {
                fs::read_link(&from).and_then(|target| fs::write(&to, target.as_os_str().as_encoded_bytes()))
            }
            Mode::File | Mode::Executable => fs::copy(&from, &to).map(|_| ()),
        };
        copied.and_then(|()| fs::rename(&to, &whole)).map_err(KeptError::io("cannot copy", &from))?;
    }
    Ok(Record { kept: Kept::Copy { bytes }, files })
}

impl Record {
    pub(super) fn read(home: &Home, of: (GoalId, Which)) -> Result<Self, KeptError> {
        let path = path_of(home, of);
        match fs::read(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(KeptError::NotKept(of.0.to_string())),
            Err(error) => Err(KeptError::io("cannot read", &path)(error)),
        }
    }

    pub(super) fn write(&self, home: &Home, of: (GoalId, Which)) -> Result<(), KeptError> {
        let path = path_of(home, of);
        let folder = home.kept();
        fs::create_dir_all(&folder).map_err(KeptError::io("cannot make", &folder))?;
        fs::write(&path, serde_json::to_vec(self)?).map_err(KeptError::io("cannot write", &path))
    }
}

/// The content of a kept file; of a link, its target's name.
pub(super) fn content(
    home: &Home,
    of: (GoalId, Which),
    folder: &Path,
    file: &FileRecord,
) -> Result<Vec<u8>, KeptError> {
    if let Some(object) = &file.object {
        return git::content(folder, object);
    }
    let path = folder_of(home, of).join(&file.digest);
    fs::read(&path).map_err(KeptError::io("cannot read", &path))
}

/// Removes a record and its copies.
pub(super) fn remove(home: &Home, of: (GoalId, Which)) {
    // What is gone already need not be removed.
    let _ = fs::remove_dir_all(folder_of(home, of));
    let _ = fs::remove_file(path_of(home, of));
}

fn folder_of(home: &Home, (goal, which): (GoalId, Which)) -> PathBuf {
    home.kept().join(which.name(goal))
}

fn path_of(home: &Home, (goal, which): (GoalId, Which)) -> PathBuf {
    home.kept().join(format!("{}.json", which.name(goal)))
}
