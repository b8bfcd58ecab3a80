//! What is packed, and where it goes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::Program;
use crate::process;

const FOLDER_MODE: u32 = 0o755;
const PROGRAM_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// The goal files that need nothing but this program and a shell.
const EXAMPLES: [&str; 4] = ["changelog.toml", "gates.toml", "hello.toml", "parallel.toml"];

/// Where things go, from the folder that it is unpacked into.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) program: &'static str,
    pub(super) man: &'static str,
    pub(super) bash: &'static str,
    pub(super) zsh: &'static str,
    pub(super) fish: &'static str,
    pub(super) unit: &'static str,
    /// Where the program is, once it is installed, for the unit to start.
    pub(super) installed: &'static str,
    pub(super) documents: &'static str,
    pub(super) licence: &'static str,
}

/// One file.
#[derive(Debug)]
struct Item {
    /// From the folder that it is unpacked into.
    path: String,
    bytes: Vec<u8>,
    mode: u32,
}

impl Item {
    fn file(path: String, bytes: Vec<u8>) -> Self {
        Self { path, bytes, mode: FILE_MODE }
    }
}

/// Writes everything into an empty folder.
pub(super) fn write(root: &Path, program: &Program, places: &Places, folder: &Path) -> anyhow::Result<()> {
    for item in items(root, program, places)? {
        let path = folder.join(&item.path);
        fs::write(made(&path)?, item.bytes)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(item.mode)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    open_folders(folder)
}

/// The same path, whose folder is there now.
pub(super) fn made(path: &Path) -> anyhow::Result<&Path> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    Ok(path)
}

/// Whatever the umask of who packs: everybody may look into each folder.
fn open_folders(folder: &Path) -> anyhow::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_folders(&entry.path())?;
        }
    }
    Ok(())
}

fn items(root: &Path, program: &Program, places: &Places) -> anyhow::Result<Vec<Item>> {
    let pb = read(&program.path)?;
    let mut items = vec![Item { path: places.program.to_owned(), bytes: pb, mode: PROGRAM_MODE }];
    for (path, shell) in [(places.bash, "bash"), (places.zsh, "zsh"), (places.fish, "fish")] {
        let script = process::printed(told_by(program).args(["completions", shell]))?;
        items.push(Item::file(path.to_owned(), script.into_bytes()));
    }
    let unit = ["service", "install", "--dry-run", "--program", places.installed];
    let unit = process::printed(told_by(program).args(unit))?;
    items.push(Item::file(places.unit.to_owned(), unit.into_bytes()));
    items.extend(manual(program, places)?);
    items.push(Item::file(places.licence.to_owned(), read(&root.join("LICENSE"))?));
    items.push(Item::file(format!("{}/README.md", places.documents), read(&root.join("README.md"))?));
    for name in EXAMPLES {
        let example = read(&root.join("examples").join(name))?;
        items.push(Item::file(format!("{}/examples/{name}", places.documents), example));
    }
    Ok(items)
}

fn manual(program: &Program, places: &Places) -> anyhow::Result<Vec<Item>> {
    let folder = tempfile::tempdir()?;
    process::printed(told_by(program).args(["completions", "--man"]).arg(folder.path()))?;
    let mut pages = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let entry = entry?;
        let path = format!("{}/{}", places.man, entry.file_name().to_string_lossy());
        pages.push(Item::file(path, read(&entry.path())?));
    }
    Ok(pages)
}

/// The program that is packed. It knows nothing of who packs: pages would quote the values of variables.
fn told_by(program: &Program) -> Command {
    let mut pb = process::command(&program.path);
    pb.env_clear();
    pb
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
