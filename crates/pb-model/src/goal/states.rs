//! The state machines of a goal, as tables: every step that there is, and no other.
//!
//! `decide` and `evolve` are the machines; these tables are what they come to. A test lives thousands of
//! goals and compares: a step that is not in a table, or one in a table that never happens, fails it.
//! `docs/STATES.md` is generated from them.

use crate::machine::{Machine, START, Step, end, state};

/// A goal.
pub static GOAL: Machine = Machine {
    name: "Goal",
    about: "What a person asked for.",
    states: &[
        state("queued", "accepted and on the disk; planned, if need be; waits for its folder"),
        state("active", "its items run, as far as what they need is done"),
        state("blocked", "nothing of it can go on without a person"),
        end("completed", "delivered"),
        end("cancelled", "stopped by a person"),
        end("failed", "a dead letter, which only `pb goal retry` leaves"),
    ],
    steps: &[
        Step(START, "goal_created", "queued"),
        Step("queued", "goal_started", "active"),
        Step("queued", "goal_completed", "completed"),
        Step("queued", "goal_blocked", "blocked"),
        Step("queued", "goal_cancelled", "cancelled"),
        Step("queued", "goal_failed", "failed"),
        Step("active", "goal_blocked", "blocked"),
        Step("active", "goal_completed", "completed"),
        Step("active", "goal_cancelled", "cancelled"),
        Step("active", "goal_failed", "failed"),
        Step("blocked", "goal_resumed", "queued"),
        Step("blocked", "goal_cancelled", "cancelled"),
        Step("failed", "goal_resumed", "queued"),
    ],
};

/// A work item.
pub static ITEM: Machine = Machine {
    name: "Work item",
    about: "A node of the plan, or one that a run added.",
    states: &[
        state("queued", "waits for other items, or for its next attempt"),
        state("ready", "may start when its lane has room"),
        state("in_progress", "an attempt at it executes"),
        state("verify", "its gates run"),
        state("blocked", "waits for a person"),
        end("done", "its gates hold, or it has none"),
        end("skipped", "a person said to go on without it, or another plan took its place"),
        end(
            "failed",
            "failed for good; what needs it never starts, and its goal fails once nothing else can go on",
        ),
    ],
    steps: &[
        Step(START, "item_created", "queued"),
        Step(START, "item_created", "ready"),
        Step("queued", "item_ready", "ready"),
        Step("queued", "item_started", "in_progress"),
        Step("queued", "item_skipped", "skipped"),
        Step("ready", "item_started", "in_progress"),
        Step("ready", "item_skipped", "skipped"),
        Step("queued", "item_superseded", "skipped"),
        Step("ready", "item_superseded", "skipped"),
        Step("blocked", "item_superseded", "skipped"),
        Step("failed", "item_superseded", "skipped"),
        Step("in_progress", "item_skipped", "skipped"),
        Step("in_progress", "item_retrying", "queued"),
        Step("in_progress", "verification_started", "verify"),
        Step("in_progress", "item_blocked", "blocked"),
        Step("in_progress", "item_completed", "done"),
        Step("in_progress", "item_failed", "failed"),
        Step("verify", "item_retrying", "queued"),
        Step("verify", "run_continued", "in_progress"),
        Step("verify", "item_blocked", "blocked"),
        Step("verify", "item_completed", "done"),
        Step("verify", "item_failed", "failed"),
        Step("blocked", "item_reopened", "ready"),
        Step("blocked", "item_reopened", "queued"),
        Step("blocked", "item_skipped", "skipped"),
        Step("done", "item_reopened", "queued"),
        Step("blocked", "item_completed", "done"),
        Step("done", "item_blocked", "blocked"),
        Step("done", "item_reopened", "ready"),
        Step("failed", "item_reopened", "queued"),
        Step("failed", "item_reopened", "ready"),
        Step("failed", "item_skipped", "skipped"),
    ],
};

/// A run: an attempt at an item, or at a plan.
pub static RUN: Machine = Machine {
    name: "Run",
    about: "An attempt at an item, or at a plan.",
    states: &[
        state("executing", "its command runs, or its conversation goes on"),
        state("probing", "its gates find out whether lost work was done"),
        state("verifying", "its gates run"),
        end("success", "its work and its gates passed; whether these count may be for a person to say"),
        end("failure", "its work or a gate failed, or a person is needed"),
        end("timeout", "a limit ended it"),
        end("aborted", "it was stopped, or its outcome is unknown"),
    ],
    steps: &[
        Step(START, "run_started", "executing"),
        Step("executing", "verification_started", "probing"),
        Step("executing", "verification_started", "verifying"),
        Step("executing", "run_completed", "success"),
        Step("executing", "run_completed", "failure"),
        Step("executing", "run_completed", "timeout"),
        Step("executing", "run_completed", "aborted"),
        Step("probing", "run_continued", "executing"),
        Step("probing", "run_completed", "success"),
        Step("probing", "run_completed", "timeout"),
        Step("probing", "run_completed", "aborted"),
        Step("verifying", "run_completed", "success"),
        Step("verifying", "run_completed", "failure"),
        Step("verifying", "run_completed", "aborted"),
    ],
};

/// The conversation of a run with its model.
pub static CONVERSATION: Machine = Machine {
    name: "Conversation",
    about: "What a run that talks with a model is at, while it executes.",
    states: &[
        state("composing", "the next request is put together and paid for"),
        state("thinking", "the model is asked"),
        state("acting", "tools are called"),
        state("waiting", "the next call waits for a person"),
        end("ended", "its run does not execute any more"),
    ],
    steps: &[
        Step(START, "run_started", "composing"),
        Step("composing", "model_requested", "thinking"),
        Step("composing", "run_completed", "ended"),
        Step("composing", "verification_started", "ended"),
        Step("thinking", "model_answered", "composing"),
        Step("thinking", "model_failed", "composing"),
        Step("thinking", "model_answered", "acting"),
        Step("acting", "tool_completed", "composing"),
        Step("acting", "run_completed", "ended"),
        Step("acting", "verification_started", "ended"),
        Step("acting", "escalation_created", "waiting"),
        Step("waiting", "escalation_resolved", "acting"),
        Step("waiting", "run_completed", "ended"),
    ],
};

/// A question to a person.
pub static ESCALATION: Machine = Machine {
    name: "Escalation",
    about: "A question to a person, with the answers that there are.",
    states: &[state("open", "nobody has answered"), end("resolved", "answered; the first answer won")],
    steps: &[Step(START, "escalation_created", "open"), Step("open", "escalation_resolved", "resolved")],
};
