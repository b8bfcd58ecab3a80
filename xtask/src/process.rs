//! Running other programs.

use std::ffi::OsStr;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use cargo_metadata::Message;

use crate::output;

/// A program to run.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals; these are the project's own"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    command(pb_runtime::environment::path("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs it where the person sees it, and says so first.
///
/// # Errors
/// It cannot be run, or it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    output::note(format_args!("$ {}", shown(command)));
    let status = command.status().with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Whether it runs and succeeds; nobody sees what it prints.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What it prints.
///
/// # Errors
/// It cannot be run, it fails, or it does not print UTF-8.
pub(crate) fn printed(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}): {}", shown(command), output.status, stderr.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", shown(command)))
}

/// Builds the `pb` binary of the workspace at `root` and says where it is.
///
/// # Errors
/// It does not build; the compiler has said why.
pub(crate) fn build_pb(root: &Path, release: bool) -> anyhow::Result<PathBuf> {
    build_binary(root, ("pb", "pb"), release)
}

/// Builds a binary of a package of the workspace at `root` and says where it is.
///
/// # Errors
/// It does not build; the compiler has said why.
pub(crate) fn build_binary(root: &Path, binary: (&str, &str), release: bool) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(root).arg("build").args(release.then_some("--release"));
    built(build, binary, "--bin")
}

/// Builds a binary with this profile, of exactly what Cargo.lock names, and says where it is.
///
/// # Errors
/// It does not build; the compiler has said why.
pub(crate) fn build_profile(root: &Path, binary: (&str, &str), profile: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(root).args(["build", "--locked", "--profile", profile]);
    built(build, binary, "--bin")
}

/// Builds an example of a package, with a feature, in a release build, and says where it is.
///
/// # Errors
/// It does not build; the compiler has said why.
pub(crate) fn build_example(root: &Path, example: (&str, &str), feature: &str) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(root).args(["build", "--release", "--features", feature]);
    built(build, example, "--example")
}

/// Builds a release binary in a target folder of its own, with options.
///
/// # Errors
/// It does not build; the compiler has said why.
pub(crate) fn build_binary_in(
    root: &Path,
    target: &Path,
    binary: (&str, &str),
    options: &[&str],
) -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.current_dir(root).args(["build", "--release", "--target-dir"]).arg(target).args(options);
    built(build, binary, "--bin")
}

fn built(mut build: Command, (package, name): (&str, &str), kind: &str) -> anyhow::Result<PathBuf> {
    build
        .args(["--package", package, kind, name, "--quiet"])
        .args(["--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped());
    let mut child = build.spawn().context("cannot run cargo")?;
    let mut executable = None;
    if let Some(stdout) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(stdout)) {
            if let Message::CompilerArtifact(artifact) = message?
                && artifact.target.name == name
                && let Some(path) = artifact.executable
            {
                executable = Some(path.into_std_path_buf());
            }
        }
    }
    if !child.wait()?.success() {
        bail!("`{name}` does not build");
    }
    executable.with_context(|| format!("cargo named no executable for `{name}`"))
}

/// A command as one could type it.
pub(crate) fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}
