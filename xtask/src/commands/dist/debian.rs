//! The Debian package. It has no scripts: what is in it is only put where it belongs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::contents::{self, Places};
use super::{MOMENT_VARIABLE, Program, gzip, need};
use crate::process;

/// Where Debian looks for them.
pub(super) const PLACES: Places = Places {
    program: "usr/bin/pb",
    man: "usr/share/man/man1",
    bash: "usr/share/bash-completion/completions/pb",
    zsh: "usr/share/zsh/vendor-completions/_pb",
    fish: "usr/share/fish/vendor_completions.d/pb.fish",
    unit: "usr/lib/systemd/user/ponybunny.service",
    installed: "/usr/bin/pb",
    documents: "usr/share/doc/ponybunny",
    licence: "usr/share/doc/ponybunny/copyright",
};

/// Its name, as `dpkg` and `apt` know it.
pub(super) const PACKAGE: &str = "ponybunny";
/// What `Installed-Size` counts in, in bytes.
const SIZE_UNIT: u64 = 1024;

/// Whether it can be made here.
///
/// # Errors
/// A tool is missing; the message says how to get it.
pub(super) fn look_for_tools() -> anyhow::Result<()> {
    need(&["dpkg", "dpkg-deb", "dpkg-shlibdeps"], "dpkg dpkg-dev")
        .context("a Debian package takes Debian's tools (--no-deb makes the tarball alone)")
}

/// Makes it in this folder; its name.
pub(super) fn make(root: &Path, program: &Program, folder: &Path) -> anyhow::Result<String> {
    let machine = process::printed(process::command("dpkg").arg("--print-architecture"))?;
    let name = format!("{PACKAGE}_{}_{}.deb", program.version, machine.trim());
    let staged = tempfile::tempdir()?;
    contents::write(root, program, &PLACES, staged.path())?;
    gzip(program, &files(&staged.path().join(PLACES.man))?)?;
    let size = bytes(staged.path())?.div_ceil(SIZE_UNIT);
    let control = control(program, machine.trim(), &depends(&program.path)?, size);
    let path = staged.path().join("DEBIAN").join("control");
    fs::write(contents::made(&path)?, control).with_context(|| format!("cannot write {}", path.display()))?;
    let squeezed: &[&str] = if program.is_release { &["-Zxz"] } else { &["-Zgzip", "-z1"] };
    process::printed(
        process::command("dpkg-deb")
            .arg("--root-owner-group")
            .args(squeezed)
            .arg("--build")
            .arg(staged.path())
            .arg(folder.join(&name))
            .env(MOMENT_VARIABLE, program.made_at.to_string()),
    )?;
    Ok(name)
}

/// What `dpkg` knows of it.
fn control(program: &Program, machine: &str, depends: &str, size: u64) -> String {
    let version = &program.version;
    format!(
        "Package: {PACKAGE}\n\
         Version: {version}\n\
         Architecture: {machine}\n\
         Maintainer: The PonyBunny authors\n\
         Installed-Size: {size}\n\
         Depends: {depends}\n\
         Recommends: git\n\
         Section: utils\n\
         Priority: optional\n\
         Description: local-first runtime for autonomous AI workers\n\
        \x20Give it a goal, in words or as a file with a plan, and walk away: it plans,\n\
        \x20executes, verifies and delivers, or stops and tells what has to be decided.\n\
        \x20The gateway and the scheduler run as the user; no system service is installed.\n"
    )
}

/// The packages that have the libraries it is linked with, as `dpkg` finds them on this machine.
fn depends(pb: &Path) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    // The tool wants a source package around it.
    let about = folder.path().join("debian").join("control");
    let text = format!("Source: {PACKAGE}\n\nPackage: {PACKAGE}\nArchitecture: any\n");
    fs::write(contents::made(&about)?, text)?;
    let mut on = std::ffi::OsString::from("-e");
    on.push(pb);
    let told =
        process::printed(process::command("dpkg-shlibdeps").arg("-O").arg(on).current_dir(folder.path()))?;
    let depends = told.trim().strip_prefix("shlibs:Depends=");
    Ok(depends.with_context(|| format!("`dpkg-shlibdeps` printed {told:?}"))?.to_owned())
}

/// The files in a folder.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// How large everything below a folder is.
fn bytes(folder: &Path) -> anyhow::Result<u64> {
    let mut sum = 0;
    for path in files(folder)? {
        let about = fs::symlink_metadata(&path)?;
        sum += if about.is_dir() { bytes(&path)? } else { about.len() };
    }
    Ok(sum)
}
