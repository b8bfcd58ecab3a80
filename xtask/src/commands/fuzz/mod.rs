//! `cargo xtask fuzz`: anything at all, to everything that reads the words of others (the folder `fuzz`).
//!
//! libFuzzer, built by `cargo fuzz` on the one stable toolchain: `RUSTC_BOOTSTRAP` lets it pass the flags that count
//! which branches are taken. There is no sanitizer, which wants a nightly one; there is no `unsafe` of ours for it to
//! look at. Seeds are made of the documents, a dictionary of the schemas; what is found interesting is kept in the
//! target folder, so that the next run goes on from it.

mod seeds;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::{install, output, process, tree};

/// Each is a function in `fuzz/src` and a file in `fuzz/fuzz_targets`.
pub(crate) const TARGETS: [&str; 7] =
    ["frames", "link", "params", "cursors", "config", "goal_file", "schedules"];
/// Longest input, in bytes: what is longer only takes longer.
const INPUT_BYTES_MAX: &str = "-max_len=16384";
/// An input that takes so long is a find, in seconds.
const INPUT_TIME_MAX: &str = "-timeout=10";
/// A process that needs so much memory is one, in MiB.
const MEMORY_MAX: &str = "-rss_limit_mb=1024";

/// Give anything at all to everything that reads the words of others
///
/// Installs cargo-fuzz if it is missing. A find is kept in `target/fuzz/artifacts` and is to become a test.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    minutes: u64,
    /// Only these targets
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    only: Vec<String>,
    /// Only run what was kept before, and the seeds, once
    #[arg(long)]
    again: bool,
}

impl Args {
    /// Every target, for so long each.
    pub(crate) fn all(minutes: u64) -> Self {
        Self { minutes, only: Vec::new(), again: false }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    if let Some(unknown) = args.only.iter().find(|name| !TARGETS.contains(&name.as_str())) {
        bail!("there is no target `{unknown}`; there are {}", TARGETS.join(", "));
    }
    install::cargo_fuzz()?;
    let place = tree::target(&root).join("fuzz");
    let dictionary = seeds::dictionary(&root, &place)?;
    process::run(&mut cargo_fuzz(&root, &place, "build"))?;
    let mut found = Vec::new();
    for target in
        TARGETS.iter().filter(|name| args.only.is_empty() || args.only.iter().any(|one| one == *name))
    {
        let (seeds, corpus) = (seeds::of(target, &root, &place)?, place.join("corpus").join(target));
        let artifacts = place.join("artifacts").join(target);
        for folder in [&corpus, &artifacts] {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        output::note(format_args!("{target}: {} min", if args.again { 0 } else { args.minutes }));
        let mut fuzz = cargo_fuzz(&root, &place, "run");
        fuzz.args([OsStr::new(target), corpus.as_os_str(), seeds.as_os_str(), OsStr::new("--")])
            .args([INPUT_BYTES_MAX, INPUT_TIME_MAX, MEMORY_MAX, "-verbosity=0", "-print_final_stats=1"])
            .arg(option("-artifact_prefix=", &artifacts.join("")))
            .arg(option("-dict=", &dictionary))
            .arg(if args.again {
                "-runs=0".to_owned()
            } else {
                format!("-max_total_time={}", args.minutes * 60)
            });
        if process::run(&mut fuzz).is_err() {
            found.push(*target);
        }
    }
    if found.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let place = place.join("artifacts");
    output::note(format_args!(
        "found something: {}; the inputs lie in {}",
        found.join(", "),
        place.display()
    ));
    Ok(ExitCode::FAILURE)
}

/// `cargo fuzz`, in a target folder of its own.
fn cargo_fuzz(root: &Path, place: &Path, what: &str) -> Command {
    let mut command = process::cargo();
    command
        .current_dir(root)
        .args(["fuzz", what, "--sanitizer", "none", "--fuzz-dir", "fuzz"])
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", place.join("build"));
    command
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(name);
    text.push(path);
    text
}

/// A file of a folder that is made if need be.
fn write(folder: &Path, name: &str, content: &[u8]) -> anyhow::Result<PathBuf> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(name);
    std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
