//! Whether what was made can be installed, and does its work from there.

mod service;
mod systemd;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use trial::Trial;

use super::contents::Places;
use super::{Program, SUMS, debian, pack, tarball};
use crate::{output, process};

/// Checks the sums, packs once more, installs each and runs it.
///
/// # Errors
/// Something of it does not hold.
pub(super) fn all(root: &Path, program: &Program, folder: &Path, made: &[String]) -> anyhow::Result<()> {
    let sums = ["--check", "--strict", "--quiet", SUMS];
    process::printed(process::command("sha256sum").args(sums).current_dir(folder))?;
    let again = tempfile::tempdir()?;
    pack(root, program, again.path(), made.len() > 1)?;
    if fs::read(folder.join(SUMS))? != fs::read(again.path().join(SUMS))? {
        bail!("packed again, it has other bytes: see {SUMS}");
    }
    output::note("the sums hold, and packed again it has the same bytes");

    for file in made {
        let place = tempfile::tempdir()?;
        let path = folder.join(file);
        if path.extension().is_some_and(|ending| ending == "deb") {
            installed(program, &path, place.path())?;
        } else {
            unpacked(program, &path, place.path())?;
        }
    }
    Ok(())
}

fn unpacked(program: &Program, tarball: &Path, place: &Path) -> anyhow::Result<()> {
    let unpack = ["--extract", "--no-same-owner", "--file"];
    process::printed(process::command("tar").args(unpack).arg(tarball).arg("--directory").arg(place))?;
    let place = place.join(tarball::name(program));
    let example = works(program, &place, &tarball::PLACES, "")
        .with_context(|| format!("from {}", tarball.display()))?;
    service::works(&place.join(tarball::PLACES.program), &example)
}

/// Into a folder, with a list of packages of its own. No library is in that list, so none is asked for.
fn installed(program: &Program, package: &Path, place: &Path) -> anyhow::Result<()> {
    let lists = place.join("var/lib/dpkg");
    for folder in ["info", "updates"] {
        fs::create_dir_all(lists.join(folder))?;
    }
    fs::write(lists.join("status"), "")?;
    let mut on_root = std::ffi::OsString::from("--root=");
    on_root.push(place);
    let dpkg = |what: &str, of: &Path| {
        let mut dpkg = process::command("dpkg");
        dpkg.arg(&on_root).args(["--log=/dev/null", "--force-not-root", "--force-depends", what]).arg(of);
        process::printed(&mut dpkg)
    };
    dpkg("--install", package)?;
    works(program, place, &debian::PLACES, ".gz").with_context(|| format!("from {}", package.display()))?;
    dpkg("--purge", Path::new(debian::PACKAGE))?;
    if place.join(debian::PLACES.program).exists() {
        bail!("removed with dpkg, the program is still there");
    }
    output::note("removed with dpkg, it is gone");
    Ok(())
}

/// Whether everything is in its place, and a goal reaches its end with it; the file of that goal.
fn works(program: &Program, place: &Path, places: &Places, squeezed: &str) -> anyhow::Result<PathBuf> {
    let at = |path: &str| -> anyhow::Result<PathBuf> {
        let path = place.join(path);
        let about = fs::metadata(&path).with_context(|| format!("there is no {}", path.display()))?;
        if about.len() == 0 {
            bail!("{} is empty", path.display());
        }
        Ok(path)
    };
    for page in ["pb", "pb-run", "pb-goal-show"] {
        at(&format!("{}/{page}.1{squeezed}", places.man))?;
    }
    for path in [places.bash, places.zsh, places.fish, places.unit, places.licence] {
        at(path)?;
    }
    let example = at(&format!("{}/examples/hello.toml", places.documents))?;
    let pb = at(places.program)?;
    Trial::new(&pb)?.all(&program.version, &example)?;
    output::note(format_args!(
        "{} checks itself, starts, reaches a goal, tells of it and stops",
        pb.display()
    ));
    Ok(example)
}
