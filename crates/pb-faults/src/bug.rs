//! The planted bugs, and the fault that must see each of them.

use pb_runtime::faultpoints::Bug;

/// A bug on purpose, and who sees it.
#[derive(Debug, Clone, Copy)]
pub struct PlantedBug {
    /// The bug; the children of the fault have it.
    pub bug: Bug,
    /// The fault that must see it.
    pub fault: &'static str,
    /// What it looks like there.
    pub how: &'static str,
}

/// Every planted bug. A new one is a variant of [`Bug`] and a row here.
pub const BUGS: &[PlantedBug] = &[
    PlantedBug {
        bug: Bug::AnswerBeforeCommit,
        fault: "F1",
        how: "a kill between the answer and the commit loses what was answered",
    },
    PlantedBug {
        bug: Bug::InboxReadOutside,
        fault: "F1",
        how: "a kill between the two transactions has a command executed twice",
    },
    PlantedBug {
        bug: Bug::SyncOff,
        fault: "F3",
        how: "what was answered was never synced, and a power loss takes it",
    },
    PlantedBug {
        bug: Bug::CursorPerConnection,
        fault: "F4",
        how: "a cursor that counts what a connection got goes on at another place after a reconnect",
    },
    PlantedBug {
        bug: Bug::EpochUnchecked,
        fault: "F5",
        how: "a late result of an earlier incarnation is written",
    },
    PlantedBug {
        bug: Bug::StartsOver,
        fault: "lifecycle",
        how: "what ran at the kill is taken for failed, so a goal with unsafe work fails",
    },
];
