//! Tools: what an agent can do, and the policy that lets it.
//!
//! A model names a tool and gives arguments. [`policy::approve`] is the one door: it turns them
//! into an [`ApprovedCall`], which alone can be run, or into a [`Denied`], which the model is told.
//!
//! File tools see the workspace through one descriptor and cannot leave it, whatever the path or
//! the links in it. Everything else is reached by `run_command`, which is confined.
//!
//! This crate never calls a model, and starts processes only through `pb-exec`.
//!
//! Start reading at [`tool`], then [`policy`], then `builtin/`.

pub mod tool;

mod arguments;
mod schema;
mod text;
mod typed;

pub mod policy;
mod registry;

mod passage;
mod workspace;

mod builtin;

pub use arguments::parse as parse_arguments;
pub use builtin::{COMMAND_TIME_LIMIT_S_DEFAULT, COMMAND_TIME_LIMIT_S_MAX, FINISH, RUN_COMMAND};
pub use policy::{Allowed, ApprovedCall, Denied};
pub use registry::Registry;
pub use text::TITLE_CHARS_MAX;
pub use tool::{Command, Output, Runner, Scope, Tool, ToolError};
pub use typed::TypedTool;
pub use workspace::is_unfinished;
