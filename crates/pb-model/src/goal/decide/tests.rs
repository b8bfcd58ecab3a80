//! Text in, text out: a script of commands gives the events that it made.

mod adding;
mod answer;
mod approve;
mod asking;
mod branches;
mod cancel;
mod condense;
mod control;
mod converse;
mod converse_crash;
mod crash;
mod day;
mod guarded;
mod life;
mod outgrow;
mod paying;
mod properties;
mod replan;
mod request;
mod retry;
mod review;
mod script;
mod states;
