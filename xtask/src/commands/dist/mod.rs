//! `cargo xtask dist`: what is handed to people who do not build, with its sums.
//!
//! The same program of the same commit gives the same bytes: names are sorted, owners and times are fixed.

mod check;
mod contents;
mod debian;
mod tarball;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::{install, output, process, tree};

/// The profile of what is released.
const RELEASE: &str = "release";
/// Where the sums stand, beside the files that they are of.
const SUMS: &str = "SHA256SUMS";
/// The moment that a package says it was made at, in seconds since 1970: <https://reproducible-builds.org/specs>.
const MOMENT_VARIABLE: &str = "SOURCE_DATE_EPOCH";

/// Make a tarball and a Debian package, with their sums, in target/dist
///
/// Examples:
///   cargo xtask dist
///   cargo xtask dist --no-deb
///   cargo xtask dist --profile dev --check
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Build with this profile; what is not `release` is large, packed in haste, and in target/dist-PROFILE
    #[arg(long, value_name = "NAME", default_value = RELEASE)]
    profile: String,
    /// Only the tarball, where there is no dpkg
    #[arg(long)]
    no_deb: bool,
    /// Install what was made into folders of its own, and run a goal with what is in them
    #[arg(long)]
    check: bool,
}

/// A program that is packed.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    version: String,
    /// The machine that it is for, as the compiler names it.
    target: String,
    /// The date of the commit, in seconds since 1970.
    made_at: u64,
    /// Whether it is packed for others, as small as it goes.
    is_release: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = tree::root()?;
    if !args.no_deb {
        debian::look_for_tools()?;
    }
    let is_release = args.profile == RELEASE;
    output::note(format_args!("building pb ({})", args.profile));
    let path = process::build_profile(&root, ("pb", "pb"), &args.profile)?;
    let program =
        Program { version: version(&path)?, target: host()?, made_at: made_at(&root)?, is_release, path };
    let name = if is_release { "dist".to_owned() } else { format!("dist-{}", args.profile) };
    let folder = tree::target(&root).join(name);
    let made = pack(&root, &program, &folder, !args.no_deb)?;
    for file in &made {
        let path = folder.join(file);
        let bytes = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?.len();
        output::line(format_args!("{}  {bytes} bytes", path.display()));
    }
    if args.check {
        check::all(&root, &program, &folder, &made)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Packs it into an empty folder; the names of the files.
fn pack(root: &Path, program: &Program, folder: &Path, with_deb: bool) -> anyhow::Result<Vec<String>> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut made = vec![tarball::make(root, program, folder)?];
    if with_deb {
        made.push(debian::make(root, program, folder)?);
    }
    let sums = process::printed(process::command("sha256sum").args(&made).current_dir(folder))?;
    fs::write(folder.join(SUMS), sums).with_context(|| format!("cannot write {SUMS}"))?;
    Ok(made)
}

/// What the program says of itself.
fn version(pb: &Path) -> anyhow::Result<String> {
    let told = process::printed(process::command(pb).arg("--version"))?;
    let version = told.trim().strip_prefix("pb ");
    Ok(version.with_context(|| format!("`pb --version` printed {told:?}"))?.to_owned())
}

/// The machine that cargo builds for.
fn host() -> anyhow::Result<String> {
    let rustc = pb_runtime::environment::path("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = process::printed(process::command(rustc).arg("-vV"))?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// When what is packed was written.
fn made_at(root: &Path) -> anyhow::Result<u64> {
    let told = match pb_runtime::environment::text(MOMENT_VARIABLE) {
        Some(told) => told,
        None => {
            process::printed(process::command("git").args(["log", "-1", "--format=%ct"]).current_dir(root))
                .with_context(|| format!("no commit says when this was made: set {MOMENT_VARIABLE}"))?
        }
    };
    told.trim().parse().with_context(|| format!("no seconds since 1970: {told:?}"))
}

/// Compresses files where they are: as small as it goes for others, quickly for a trial.
fn gzip(program: &Program, files: &[PathBuf]) -> anyhow::Result<()> {
    let level = if program.is_release { "-9" } else { "-1" };
    // Neither name nor time goes in.
    process::printed(process::command("gzip").args(["--no-name", "--force", level]).args(files))?;
    Ok(())
}

/// Whether these programs are there.
///
/// # Errors
/// One is not; the message says how to get it.
fn need(programs: &[&str], packages: &str) -> anyhow::Result<()> {
    let missing: Vec<&str> =
        programs.iter().filter(|program| install::on_path(program).is_none()).copied().collect();
    if !missing.is_empty() {
        bail!("there is no {}; type: sudo apt-get install {packages}", missing.join(", no "));
    }
    Ok(())
}
