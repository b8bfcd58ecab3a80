//! Tools: what an agent can do, and the policy that lets it.
//!
//! This crate never calls a model, and starts processes only through `pb-exec`.
//!
//! Start reading at [`tool`], then `policy.rs`, then `builtin/`.

pub mod tool;

pub use tool::{Command, Output, Runner, Scope, Tool, ToolError};
