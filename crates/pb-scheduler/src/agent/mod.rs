//! Work for a model: the conversation of a run, from its prompt to its last tool.
//!
//! A turn is two commits: the answer with the intents of what it calls, and what the tools came to
//! with the reservation of the next call. In between, each step is a function of the goal's state
//! and the run's journal, so a continued run and one that was never interrupted are the same:
//!
//! * `compose` puts the next request together and says what it may cost at most,
//! * `think` calls the model,
//! * `act` calls the tools that it asked for.
//!
//! What outgrows the model's window is told in short (`condense.rs`).
//!
//! What follows from each is decided in `pb_model::goal` (`decide/converse/`).
//!
//! Start reading at `talk.rs` (the conversation, folded from the journal).

mod prompts;
mod talk;
mod talks;

mod compose;
mod condense;
mod task;
mod think;

mod act;
mod add;
mod ask;
mod binding;
mod journal;
mod plan;
mod review;
mod runner;

mod models;

#[cfg(test)]
pub(crate) mod scratch;

pub(crate) use act::act;
pub(crate) use compose::{OUTPUT_TOKENS, compose, fitting, host, offer, window_bytes};
pub(crate) use journal::told_by_a_person;
pub(crate) use models::ModelSource;
pub(crate) use prompts::Prompt;
pub(crate) use talk::untrusted;
pub(crate) use talks::Talks;
pub(crate) use think::{after_failure, finish_word, think, used};
