//! The steps of a session, as a table.

use crate::machine::{Machine, START, Step, end, state};

/// Its steps.
pub static MACHINE: Machine = Machine {
    name: "Session",
    about: "A conversation of a person with the worker.",
    states: &[
        state("idle", "everything was answered"),
        state("waiting", "a message waits for its answer"),
        state("thinking", "a model is asked"),
        end("ended", "it is over"),
    ],
    steps: &[
        Step(START, "conversation.started", "idle"),
        Step("idle", "conversation.message", "waiting"),
        Step("idle", "task.narration", "idle"),
        Step("idle", "task.result", "idle"),
        Step("idle", "conversation.ended", "ended"),
        Step("idle", "conversation.compacted", "idle"),
        Step("waiting", "conversation.message", "waiting"),
        Step("waiting", "conversation.requested", "thinking"),
        Step("waiting", "conversation.response", "idle"),
        Step("waiting", "task.narration", "waiting"),
        Step("waiting", "task.result", "waiting"),
        Step("waiting", "conversation.ended", "ended"),
        Step("waiting", "conversation.compacted", "waiting"),
        Step("thinking", "conversation.message", "thinking"),
        Step("thinking", "conversation.failed", "waiting"),
        Step("thinking", "conversation.response", "idle"),
        Step("thinking", "conversation.response", "waiting"),
        Step("thinking", "task.narration", "thinking"),
        Step("thinking", "task.result", "thinking"),
        Step("thinking", "conversation.compacted", "thinking"),
        Step("ended", "conversation.compacted", "ended"),
    ],
};
