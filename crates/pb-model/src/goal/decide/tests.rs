//! Text in, text out: a script of commands gives the events that it made.
