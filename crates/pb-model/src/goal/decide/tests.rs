//! Text in, text out: a script of commands gives the events that it made.

mod cancel;
mod converse;
mod crash;
mod life;
mod properties;
mod retry;
mod script;
