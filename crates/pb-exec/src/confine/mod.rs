//! Confines this process, and everything it will ever start, with Landlock.
//!
//! Landlock knows only allow lists: a rule names a folder and grants rights to all below it, and
//! what no rule grants is refused. "Readable everywhere except here" is therefore built by
//! walking from `/` towards each hidden path and granting what lies beside the way
//! (`readable.rs`). The folders on the way get no rule, or their rule would reach the hidden
//! path too; that is why they cannot be listed.

mod capabilities;
mod hidden;
mod readable;
mod support;

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::Errno;

use crate::{Confinement, Enforced, Policy};
use hidden::Hidden;
pub use support::{Support, support};

/// The rights that are asked for, best effort: those of the newest ABI whose file, network and
/// scope rights are tested here. Newer ones are left out until a kernel that has them is tested.
const RIGHTS_ABI: ABI = ABI::V6;

/// Why a tool was not confined as it had to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("this kernel cannot confine a tool: {0}")]
    Unsupported(String),
    #[error("{} is writable but contains the hidden {}, which could not be kept from the tool", writable.display(), hidden.display())]
    HiddenInsideWritable { writable: PathBuf, hidden: PathBuf },
    #[error("{} leads by a symbolic link to the hidden {}", writable.display(), target.display())]
    LinkToHidden { writable: PathBuf, target: PathBuf },
    #[error("hiding these paths takes more than {rules_max} rules")]
    TooManyRules { rules_max: u32 },
    #[error("cannot open the writable path {}", path.display())]
    OpenWritable { path: PathBuf, source: io::Error },
    #[error("the kernel refused the confinement")]
    Ruleset(#[from] RulesetError),
    #[error("cannot give up the capabilities of root")]
    Capabilities(#[source] io::Error),
}

/// Confines the calling thread for good. Says how far that went.
pub(crate) fn apply(confinement: &Confinement) -> Result<Enforced, Error> {
    let support = support();
    let mut missing = support.missing();
    match confinement.policy {
        Policy::Off => return Ok(Enforced::None),
        Policy::Required if !support.fs => return Err(Error::Unsupported(missing.join(", "))),
        Policy::BestEffort if !support.fs => return Ok(Enforced::None),
        Policy::Required | Policy::BestEffort => {}
    }
    let hidden = Hidden::resolve(&confinement.hidden);
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(RIGHTS_ABI))?
        .handle_access(AccessNet::ConnectTcp)?
        .scope(Scope::from_all(RIGHTS_ABI))?
        .create()?;
    readable::grant(&mut ruleset, &hidden)?;
    let null = PathBuf::from("/dev/null");
    for path in confinement.writable.iter().chain([&null]) {
        let Some(fd) = open_writable(path)? else {
            continue;
        };
        match check_writable(path, &fd, &hidden) {
            Ok(()) => {}
            Err(error) if confinement.policy == Policy::Required => return Err(error),
            Err(error @ Error::LinkToHidden { .. }) => {
                missing.push(error.to_string());
                continue;
            }
            Err(error) => missing.push(error.to_string()),
        }
        add_path(&mut ruleset, &fd, AccessFs::from_all(RIGHTS_ABI))?;
    }
    for port in &confinement.tcp_ports {
        (&mut ruleset).add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    // This also sets no_new_privs, without which a set-uid program could step outside.
    let status = ruleset.restrict_self()?;
    capabilities::give_up().map_err(Error::Capabilities)?;
    Ok(match status.ruleset {
        RulesetStatus::NotEnforced => Enforced::None,
        _ if missing.is_empty() => Enforced::Full,
        _ => Enforced::Partial(missing.join(", ")),
    })
}

/// Opens a path to name it in a rule; `None` when it does not exist, or is not ours to write in
/// anyway: a cache in another user's home, say.
fn open_writable(path: &Path) -> Result<Option<OwnedFd>, Error> {
    match openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) => Ok(Some(fd)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(Error::OpenWritable { path: path.into(), source: errno.into() }),
    }
}

/// Full access must not uncover a hidden path by containing it, nor by a link that an earlier
/// tool may have left in the workspace.
fn check_writable(path: &Path, fd: &OwnedFd, hidden: &Hidden) -> Result<(), Error> {
    // Asking for the path of the descriptor leaves no time to swap the path in between.
    let target = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()))
        .map_err(|source| Error::OpenWritable { path: path.into(), source })?;
    if let Some(inside) = hidden.existing_at_or_below(&target) {
        return Err(Error::HiddenInsideWritable { writable: path.into(), hidden: inside.into() });
    }
    if hidden.covers(&target) && !hidden.covers(path) {
        return Err(Error::LinkToHidden { writable: path.into(), target });
    }
    Ok(())
}

/// Adds one rule, with the rights that make sense for what the path is.
fn add_path(
    ruleset: &mut RulesetCreated,
    fd: &OwnedFd,
    rights: BitFlags<AccessFs>,
) -> Result<(), RulesetError> {
    let is_folder = fstat(fd).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir());
    let rights = if is_folder { rights } else { rights & AccessFs::from_file(RIGHTS_ABI) };
    ruleset.add_rule(PathBeneath::new(fd, rights))?;
    Ok(())
}
