//! The steps of a schedule, as a table.

use crate::machine::{Machine, START, Step, end, state};

/// Its steps.
pub static MACHINE: Machine = Machine {
    name: "Schedule",
    about: "A goal that is run again and again.",
    states: &[
        state("active", "its slots are claimed, each once"),
        state("paused", "a person has it stand still"),
        state("broken", "its goals failed too often in a row; a person looks"),
        end("removed", "it is no more"),
    ],
    steps: &[
        Step(START, "created", "active"),
        Step("active", "claimed", "active"),
        Step("active", "skipped", "active"),
        Step("active", "ran", "active"),
        Step("active", "succeeded", "active"),
        Step("active", "failed", "active"),
        Step("active", "cancelled", "active"),
        Step("active", "broke", "broken"),
        Step("active", "paused", "paused"),
        Step("active", "removed", "removed"),
        Step("active", "compacted", "active"),
        Step("paused", "ran", "paused"),
        Step("paused", "succeeded", "paused"),
        Step("paused", "failed", "paused"),
        Step("paused", "cancelled", "paused"),
        Step("paused", "resumed", "active"),
        Step("paused", "removed", "removed"),
        Step("paused", "compacted", "paused"),
        Step("broken", "ran", "broken"),
        Step("broken", "succeeded", "broken"),
        Step("broken", "failed", "broken"),
        Step("broken", "cancelled", "broken"),
        Step("broken", "resumed", "active"),
        Step("broken", "removed", "removed"),
        Step("broken", "compacted", "broken"),
        Step("removed", "compacted", "removed"),
    ],
};
