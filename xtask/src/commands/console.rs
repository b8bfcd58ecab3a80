//! `cargo xtask console`: the web console, from `web/` into the gateway's own folder.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use super::test;
use crate::{install, output, process, tree};

/// Where the page is written, which is committed: who installs `pb` needs no Node.
const DIST: &str = "crates/pb-gateway/dist";
/// Where the pictures are.
const IMAGES: &str = "docs/images";
/// The test that visits each place.
const TOUR: &str = "console::tour::every_place";
/// What the first load of the page may weigh, gzipped, in bytes.
const GZIPPED_BYTES_MAX: usize = 80_000;

/// Check, test and build the web console into crates/pb-gateway/dist, which is committed
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Build it elsewhere, and fail if what is committed differs
    #[arg(long)]
    check: bool,
    /// Also take the pictures of docs/images: each place, light and dark, as the tests see it in Chromium
    #[arg(long, conflicts_with = "check")]
    images: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    let web = root.join("web");
    packages(&web)?;
    for script in ["check", "test"] {
        process::run(npm(&web).args(["run", "--silent", script]))?;
    }
    let dist = root.join(DIST);
    let built = if args.check { tree::target(&root).join("console") } else { dist.clone() };
    let outdir = built.to_str().context("the path of the tree is not UTF-8")?;
    process::run(npm(&web).args([
        "run",
        "--silent",
        "build",
        "--",
        "--logLevel",
        "warn",
        "--outDir",
        outdir,
        "--emptyOutDir",
    ]))?;
    let size = process::printed(process::command("node").arg("size.js").arg(&built).current_dir(&web))?;
    let size: usize = size.trim().parse().context("size.js prints no number")?;
    output::note(format_args!(
        "the first load weighs {size} bytes, gzipped; at most {GZIPPED_BYTES_MAX} are allowed"
    ));
    if size > GZIPPED_BYTES_MAX {
        bail!("the page is too heavy");
    }
    if args.check {
        same(&built, &dist)?;
    }
    if args.images {
        take_images(&root)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Has the test that visits each place take a picture of it.
fn take_images(root: &Path) -> anyhow::Result<()> {
    let images = root.join(IMAGES);
    fs::create_dir_all(&images)?;
    process::run(in_browser(root, TOUR)?.env("PB_TEST_IMAGES", images))
}

/// Runs one test of the page in a browser, with what it needs; what it prints is seen.
pub(super) fn in_browser(root: &Path, test: &str) -> anyhow::Result<Command> {
    install::nextest()?;
    let found = test::provide(&tree::target(root).join("test-tools"), true)?;
    let mut nextest = process::cargo();
    nextest.current_dir(root).envs(found);
    nextest.args(["nextest", "run", "--package", "pb", "--test", "it", "--no-capture", test]);
    Ok(nextest)
}

/// Installs what the lock file says, unless that is there already.
fn packages(web: &Path) -> anyhow::Result<()> {
    if install::on_path("npm").is_none() {
        install::debian(&["nodejs", "npm"])?;
    }
    let lock =
        fs::read_to_string(web.join("package-lock.json")).context("cannot read web/package-lock.json")?;
    let mark = web.join("node_modules/.installed");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    // Nothing of a package runs while it is installed.
    process::run(npm(web).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    fs::write(&mark, lock).context("cannot write into web/node_modules")
}

fn npm(web: &Path) -> Command {
    let mut npm = process::command("npm");
    npm.current_dir(web);
    npm
}

/// Compares the files of two folders.
///
/// # Errors
/// They differ.
fn same(built: &Path, committed: &Path) -> anyhow::Result<()> {
    let hint = "write it, look at the difference and commit it: cargo xtask console";
    let (new, old) = (names(built)?, names(committed)?);
    if new != old {
        bail!("{DIST} has the files {}, and {} are built; {hint}", old.join(", "), new.join(", "));
    }
    for name in new {
        if fs::read(built.join(&name))? != fs::read(committed.join(&name))? {
            bail!("{DIST}/{name} is not what web/ makes; {hint}");
        }
    }
    Ok(())
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<anyhow::Result<Vec<String>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_differs_or_is_too_many_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (built, committed) = (folder.path().join("a"), folder.path().join("b"));
        for side in [&built, &committed] {
            fs::create_dir(side).unwrap();
            fs::write(side.join("app.js"), "1").unwrap();
        }
        same(&built, &committed).unwrap();
        fs::write(built.join("app.js"), "2").unwrap();
        let told = same(&built, &committed).unwrap_err().to_string();
        assert!(told.starts_with("crates/pb-gateway/dist/app.js is not what web/ makes; "), "{told}");
        fs::write(built.join("app.css"), "").unwrap();
        let told = same(&built, &committed).unwrap_err().to_string();
        assert!(told.contains("has the files app.js, and app.css, app.js are built"), "{told}");
    }
}
