//! A call that needs a yes: what it binds, who decides, and that it is used once.
//!
//! ```text
//!            granted               used, with the same binding
//! pending ------------> granted ------------------------------> used
//!    |                     |
//!    | denied, expired     | the binding changed: it is asked again; withdrawn, expired
//!    v                     v
//! denied, expired       void, expired
//! ```
//!
//! A yes is for one call as it was shown: program, arguments, folder, environment and the digest of the file
//! that runs (`security.md` 13). The first decision wins (`security.md` 16); none in time is a no.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::machine::{Machine, START, Step, end, state};

/// Everything that a yes to a call is for (`security.md` 13).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCall {
    /// The tool.
    pub tool: String,
    /// What runs: program and arguments; empty for a tool that runs nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// The arguments of a tool that runs nothing, as JSON, cut for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// The folder that it runs in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cwd: String,
    /// The names of the variables that it is given; their values are part of the digest only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Digest of the program and of each file that the arguments name (blake3, hex), by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Digest of all of it (blake3, hex).
    pub digest: String,
}

/// A call that waits for a yes, or had one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What the yes is for, as it was shown.
    #[serde(default)]
    pub call: BoundCall,
    /// Digest of everything that the yes is for (blake3, hex).
    pub binding: String,
    /// When no answer is a no.
    pub expires_at_ms: Millis,
    /// Where it stands.
    pub status: ApprovalStatus,
    /// Who decided.
    pub decided_by: Option<String>,
}

/// Where an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    /// Nobody has decided.
    Pending,
    /// Somebody said yes; the call may be made once.
    Granted,
    /// Somebody said no.
    Denied,
    /// Nobody decided in time, or the yes was not used in time.
    Expired,
    /// The call was made.
    Used,
    /// What the yes was for is not what would run, or the work that wanted it has ended.
    Void,
}

impl ApprovalStatus {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Granted, Self::Denied, Self::Expired, Self::Used, Self::Void];

    /// The word shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Void => "void",
        }
    }
}

/// What may be asked of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApprovalCommand {
    /// Somebody says yes.
    Grant {
        /// Who.
        by: String,
    },
    /// Somebody says no.
    Deny {
        /// Who.
        by: String,
    },
    /// Its time may be over.
    Expire,
    /// The call is about to be made, as it is now.
    Use {
        /// Digest of what would run.
        binding: String,
    },
    /// The work that wanted it has ended.
    Withdraw,
}

/// What happened to an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ApprovalEvent {
    /// A yes is asked for.
    Requested,
    /// Somebody said yes.
    Granted {
        /// Who.
        by: String,
    },
    /// Somebody said no.
    Denied {
        /// Who.
        by: String,
    },
    /// Its time was over.
    Expired,
    /// The call is made.
    Used,
    /// It is good for nothing any more.
    Voided,
}

/// Why nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalRejection {
    /// Somebody was first, or its time is over.
    #[error("it is {0} already")]
    Decided(&'static str),
    /// Nobody has said yes.
    #[error("it is {0}, not granted")]
    NotGranted(&'static str),
    /// Its time is not over.
    #[error("it has not expired")]
    NotYet,
}

/// What `command` makes of an approval.
///
/// # Errors
/// Why nothing changes.
pub fn decide(
    approval: &Approval,
    command: ApprovalCommand,
    now: Millis,
) -> Result<ApprovalEvent, ApprovalRejection> {
    use ApprovalStatus as Status;
    let is_over = now >= approval.expires_at_ms;
    let word = approval.status.as_str();
    match (command, approval.status) {
        // A decision or a use that comes too late is none.
        (
            ApprovalCommand::Grant { .. } | ApprovalCommand::Deny { .. } | ApprovalCommand::Expire,
            Status::Pending,
        )
        | (ApprovalCommand::Expire | ApprovalCommand::Use { .. }, Status::Granted)
            if is_over =>
        {
            Ok(ApprovalEvent::Expired)
        }
        (ApprovalCommand::Grant { by }, Status::Pending) => Ok(ApprovalEvent::Granted { by }),
        (ApprovalCommand::Deny { by }, Status::Pending) => Ok(ApprovalEvent::Denied { by }),
        (ApprovalCommand::Expire, Status::Pending | Status::Granted) => Err(ApprovalRejection::NotYet),
        (ApprovalCommand::Use { binding }, Status::Granted) if binding == approval.binding => {
            Ok(ApprovalEvent::Used)
        }
        (ApprovalCommand::Use { .. }, Status::Granted)
        | (ApprovalCommand::Withdraw, Status::Pending | Status::Granted) => Ok(ApprovalEvent::Voided),
        (
            ApprovalCommand::Use { .. },
            Status::Pending | Status::Denied | Status::Expired | Status::Used | Status::Void,
        ) => Err(ApprovalRejection::NotGranted(word)),
        (
            ApprovalCommand::Grant { .. } | ApprovalCommand::Deny { .. },
            Status::Granted | Status::Denied | Status::Expired | Status::Used | Status::Void,
        )
        | (
            ApprovalCommand::Expire | ApprovalCommand::Withdraw,
            Status::Denied | Status::Expired | Status::Used | Status::Void,
        ) => Err(ApprovalRejection::Decided(word)),
    }
}

impl ApprovalEvent {
    /// The word on the wire.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted { .. } => "granted",
            Self::Denied { .. } => "denied",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Voided => "voided",
        }
    }
}

/// The approval after `event`.
#[must_use]
pub fn evolve(approval: Approval, event: &ApprovalEvent) -> Approval {
    let (status, by) = match event {
        ApprovalEvent::Requested => (ApprovalStatus::Pending, None),
        ApprovalEvent::Granted { by } => (ApprovalStatus::Granted, Some(by)),
        ApprovalEvent::Denied { by } => (ApprovalStatus::Denied, Some(by)),
        ApprovalEvent::Expired => (ApprovalStatus::Expired, None),
        ApprovalEvent::Used => (ApprovalStatus::Used, None),
        ApprovalEvent::Voided => (ApprovalStatus::Void, None),
    };
    Approval { status, decided_by: by.cloned().or(approval.decided_by), ..approval }
}

/// Its steps.
pub static MACHINE: Machine = Machine {
    name: "Approval",
    about: "A call that needs a yes before it is made.",
    states: &[
        state("pending", "nobody has decided"),
        state("granted", "somebody said yes; the call may be made once, as it was shown"),
        end("denied", "somebody said no"),
        end("expired", "nobody decided in time, or the yes was not used in time"),
        end("used", "the call was made"),
        end("void", "what would run is not what the yes was for, or the work has ended"),
    ],
    steps: &[
        Step(START, "requested", "pending"),
        Step("pending", "granted", "granted"),
        Step("pending", "denied", "denied"),
        Step("pending", "expired", "expired"),
        Step("pending", "voided", "void"),
        Step("granted", "used", "used"),
        Step("granted", "expired", "expired"),
        Step("granted", "voided", "void"),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn approval(status: ApprovalStatus) -> Approval {
        Approval {
            call: BoundCall::default(),
            binding: "b".to_owned(),
            expires_at_ms: 100,
            status,
            decided_by: None,
        }
    }

    fn commands() -> Vec<ApprovalCommand> {
        let by = || "ann".to_owned();
        vec![
            ApprovalCommand::Grant { by: by() },
            ApprovalCommand::Deny { by: by() },
            ApprovalCommand::Expire,
            ApprovalCommand::Use { binding: "b".to_owned() },
            ApprovalCommand::Use { binding: "another".to_owned() },
            ApprovalCommand::Withdraw,
        ]
    }

    #[test]
    fn every_command_in_every_state_is_a_step_of_the_table_or_refused() {
        let mut seen = BTreeSet::from([Step(START, "requested", "pending")]);
        for status in ApprovalStatus::ALL {
            for command in commands() {
                for now in [99, 100] {
                    let before = approval(status);
                    let Ok(event) = decide(&before, command.clone(), now) else { continue };
                    let after = evolve(before, &event);
                    let name = serde_json::to_value(&event).unwrap()["type"].as_str().unwrap().to_owned();
                    let step = MACHINE.steps.iter().find(|step| {
                        (step.0, step.1, step.2) == (status.as_str(), name.as_str(), after.status.as_str())
                    });
                    seen.insert(
                        *step.unwrap_or_else(|| panic!("{status:?} {command:?} at {now}: {event:?}")),
                    );
                }
            }
        }
        assert_eq!(seen, MACHINE.steps.iter().copied().collect());
    }

    #[test]
    fn the_first_decision_wins_and_a_yes_is_for_one_call_as_it_was_shown() {
        let granted = evolve(
            approval(ApprovalStatus::Pending),
            &decide(&approval(ApprovalStatus::Pending), ApprovalCommand::Grant { by: "ann".to_owned() }, 1)
                .unwrap(),
        );
        assert_eq!(granted.decided_by.as_deref(), Some("ann"));
        let late = decide(&granted, ApprovalCommand::Deny { by: "bob".to_owned() }, 2);
        assert_eq!(late.unwrap_err().to_string(), "it is granted already");
        let other = decide(&granted, ApprovalCommand::Use { binding: "x".to_owned() }, 2).unwrap();
        assert_eq!(other, ApprovalEvent::Voided);
        let used = evolve(
            granted.clone(),
            &decide(&granted, ApprovalCommand::Use { binding: "b".to_owned() }, 2).unwrap(),
        );
        let twice = decide(&used, ApprovalCommand::Use { binding: "b".to_owned() }, 3);
        assert_eq!(twice.unwrap_err().to_string(), "it is used, not granted");
    }
}
