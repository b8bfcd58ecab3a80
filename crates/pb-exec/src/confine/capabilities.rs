//! What root loses when it is confined.
//!
//! Root has ways around Landlock. One that was met in a test: on Linux 6.18, who has
//! `CAP_PERFMON` may read `/proc/<pid>/environ` of any process, without the check in which
//! Landlock has a say. So a confined root keeps only what a root in a container has.

use std::io;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// The default of Docker without `MKNOD`, which makes device files, and so reaches raw disks.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::AUDIT_WRITE)
    .union(CapabilitySet::SETFCAP);

/// Gives the others up, for good: `no_new_privs` is set, so `exec` cannot bring them back.
/// For anyone but root there is nothing to give up.
pub(super) fn give_up() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    sets.permitted &= KEPT;
    sets.effective &= KEPT;
    sets.inheritable &= KEPT;
    Ok(set_capabilities(None, sets)?)
}
