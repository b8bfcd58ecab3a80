//! The tarball: one folder, laid out as below `/usr/local` or `~/.local`.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::contents::{self, Places};
use super::{Program, gzip};
use crate::process;

/// As every shell and `man` look for them below a prefix.
pub(super) const PLACES: Places = Places {
    program: "bin/pb",
    man: "share/man/man1",
    bash: "share/bash-completion/completions/pb",
    zsh: "share/zsh/site-functions/_pb",
    fish: "share/fish/vendor_completions.d/pb.fish",
    unit: "share/systemd/user/ponybunny.service",
    // Elsewhere `pb service install` writes a unit for where it is.
    installed: "/usr/local/bin/pb",
    documents: "share/doc/ponybunny",
    licence: "share/doc/ponybunny/LICENSE",
};

/// The name of the folder in it, and of the file but for its ending.
pub(super) fn name(program: &Program) -> String {
    format!("ponybunny-{}-{}", program.version, program.target)
}

/// Makes it in this folder; its name.
pub(super) fn make(root: &Path, program: &Program, folder: &Path) -> anyhow::Result<String> {
    let name = name(program);
    let staged = tempfile::tempdir()?;
    let inside = staged.path().join(&name);
    fs::create_dir(&inside).with_context(|| format!("cannot make {}", inside.display()))?;
    contents::write(root, program, &PLACES, &inside)?;
    let tar = format!("{name}.tar");
    process::printed(
        process::command("tar")
            .args(["--create", "--format=gnu", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
            .arg(format!("--mtime=@{}", program.made_at))
            .arg("--file")
            .arg(folder.join(&tar))
            .arg("--directory")
            .args([staged.path(), Path::new(&name)]),
    )?;
    gzip(program, &[folder.join(&tar)])?;
    Ok(format!("{tar}.gz"))
}
