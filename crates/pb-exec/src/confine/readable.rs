//! Grants reading and executing everywhere except at the hidden paths.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use landlock::{AccessFs, RulesetCreated};
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, openat};

use super::{Error, Hidden, RIGHTS_ABI, add_path};

/// How many rules may be spent on what lies beside the hidden paths. A home folder takes a
/// hundred or so; each costs about 3 µs and some kernel memory.
const RULES_MAX: u32 = 16_384;

/// How a path is opened to be named in a rule: not for reading, and never through a link.
const NAME_ONLY: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Adds the rules, walking down from `/`.
pub(super) fn grant(ruleset: &mut RulesetCreated, hidden: &Hidden) -> Result<(), Error> {
    let root = Path::new("/");
    let mut walk = Walk { ruleset, hidden, rules: 0 };
    match openat(CWD, root, NAME_ONLY, Mode::empty()) {
        Ok(fd) => walk.visit(&fd, root),
        // Granting less than could be is safe everywhere in this file.
        Err(_) => Ok(()),
    }
}

struct Walk<'a> {
    ruleset: &'a mut RulesetCreated,
    hidden: &'a Hidden,
    rules: u32,
}

impl Walk<'_> {
    /// Grants this path, or, when something hidden is below it, what it contains. The depth is
    /// that of the deepest hidden path.
    fn visit(&mut self, fd: &OwnedFd, path: &Path) -> Result<(), Error> {
        if !self.hidden.touches(path) {
            return self.add(fd);
        }
        let listing = openat(fd, c".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let Ok(entries) = listing.and_then(Dir::new) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let child = path.join(OsStr::from_bytes(name.to_bytes()));
            if self.hidden.covers(&child) {
                continue;
            }
            let Ok(child_fd) = openat(fd, name, NAME_ONLY, Mode::empty()) else {
                continue;
            };
            if self.may_be_granted(&child_fd) {
                self.visit(&child_fd, &child)?;
            }
        }
        Ok(())
    }

    /// A symbolic link needs no rule: the walk comes to its target by the target's own path.
    fn may_be_granted(&self, fd: &OwnedFd) -> bool {
        fstat(fd).is_ok_and(|stat| {
            !FileType::from_raw_mode(stat.st_mode).is_symlink()
                && !self.hidden.is_inode(stat.st_dev, stat.st_ino)
        })
    }

    fn add(&mut self, fd: &OwnedFd) -> Result<(), Error> {
        self.rules += 1;
        if self.rules > RULES_MAX {
            return Err(Error::TooManyRules { rules_max: RULES_MAX });
        }
        // A kernel that refuses a rule for an odd file (a namespace, say) hides that file.
        let _ = add_path(self.ruleset, fd, AccessFs::from_read(RIGHTS_ABI));
        Ok(())
    }
}
