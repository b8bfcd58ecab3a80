//! What this kernel can confine.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, RestrictSelfAttr, Ruleset, RulesetAttr,
    RulesetError, Scope,
};

/// What this kernel can confine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// The Landlock ABI, 0 for none; 7 stands for 7 and newer.
    pub abi: u32,
    /// Reading, writing and executing files (ABI 1).
    pub fs: bool,
    /// Connecting to TCP ports (ABI 4).
    pub net: bool,
    /// Signals and abstract Unix sockets (ABI 6).
    pub scope: bool,
}

/// Asks the kernel, without confining anything.
pub fn support() -> Support {
    // The crate keeps the number to itself, so it is found by what may be required.
    let steps: [fn(Ruleset) -> Result<Ruleset, RulesetError>; 6] = [
        |rules| rules.handle_access(AccessFs::from_all(ABI::V1)),
        |rules| rules.handle_access(AccessFs::Refer),
        |rules| rules.handle_access(AccessFs::Truncate),
        |rules| rules.handle_access(AccessNet::ConnectTcp),
        |rules| rules.handle_access(AccessFs::IoctlDev),
        |rules| rules.scope(Scope::from_all(ABI::V6)),
    ];
    let strict = || Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let mut abi = 0;
    for (step, number) in steps.iter().zip(1..) {
        if step(strict()).is_err() {
            break;
        }
        abi = number;
    }
    if abi == 6 && has_abi_7(strict()) {
        abi = 7;
    }
    Support::of(abi)
}

/// ABI 7 brought no right, only control over the audit log.
fn has_abi_7(rules: Ruleset) -> bool {
    rules
        .handle_access(AccessFs::Execute)
        .and_then(Ruleset::create)
        .and_then(|created| created.log_subdomains(false))
        .is_ok()
}

impl Support {
    fn of(abi: u32) -> Self {
        Self { abi, fs: abi >= 1, net: abi >= 4, scope: abi >= 6 }
    }

    /// What cannot be confined, in words; empty when nothing is missing.
    pub fn missing(self) -> Vec<String> {
        if !self.fs {
            return vec!["Landlock is not available".to_owned()];
        }
        let lacks = [
            (self.abi >= 3, "truncating files outside"),
            (self.net, "TCP connections"),
            (self.abi >= 5, "device controls"),
            (self.scope, "signals and abstract sockets"),
        ];
        lacks
            .iter()
            .filter(|(present, _)| !present)
            .map(|(_, what)| format!("{what} not confined (Landlock ABI {})", self.abi))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_abi_says_what_it_lacks() {
        let count = |abi| Support::of(abi).missing().len();
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(count), [1, 4, 4, 3, 2, 1, 0, 0]);
        assert_eq!(Support::of(5).missing(), ["signals and abstract sockets not confined (Landlock ABI 5)"]);
    }
}
