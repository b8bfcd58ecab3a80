//! Goal files: TOML in, a [`GoalSpec`](crate::spec::GoalSpec) out.
//!
//! ```toml
//! title = "Count the TODOs in {{repo}}"
//!
//! [inputs]
//! repo = { description = "The folder to read", default = ".", type = "path" }
//!
//! [[items]]
//! id = "count"
//! kind = "command"
//! argv = ["sh", "-c", 'grep -rc TODO "$PB_INPUT_REPO" > count.txt']
//!
//! [[items.gates]]
//! kind = "file_exists"
//! path = "count.txt"
//! ```
//!
//! [`parse`] reads the text and reports everything wrong with it, each problem with its line,
//! column and a hint. [`GoalFile::resolve`] then fills the inputs in: `{{name}}` stands for the
//! value of the input `name` in every text that people or programs read, but not in ids, needs,
//! tags and tool names. `{{` before anything that is not a name and `}}` stays as it is, so Go
//! templates such as `{{.Name}}` pass. Values are inserted as they are (escaped in a `regex`) and
//! are not searched again, which makes an input the way to write a literal `{{name}}`.
//!
//! [`render`] goes the other way: it writes a goal as a file that a person can edit.
//!
//! A file passes through four forms, one module each: text, a located TOML tree (`node`, `table`), the
//! file's own form (`shape`, read by `read`), and the domain's (`convert`).

mod check;
mod convert;
mod convert_gate;
mod log;
mod node;
mod parse;
mod problem;
mod read;
mod read_gate;
mod read_inputs;
mod render;
mod render_gate;
mod render_lines;
mod resolve;
mod schema;
mod shape;
mod suggest;
mod syntax;
mod table;
mod template;

pub use parse::{DeclaredInput, GoalFile, parse};
pub use problem::{PROBLEMS_MAX, Problem, Problems};
pub use render::render;
pub use resolve::ResolveContext;
pub use schema::json_schema;

/// Everything that [`GoalSpec::validate`](crate::spec::GoalSpec::validate) refuses: the first problem of
/// the goal's own part, the first of each item, and the first of the plan's shape.
pub fn spec_problems(spec: &crate::spec::GoalSpec) -> Vec<crate::spec::Invalid> {
    check::problems(spec, |_| false)
}

pub use crate::spec::{INPUT_BYTES_MAX, INPUT_NAME_BYTES_MAX, INPUTS_MAX, input_variable};

/// Largest goal file, in bytes.
pub const GOAL_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Most text that all filled templates of one goal make together, in bytes. Without it a file of
/// a megabyte of `{{name}}` would grow to gigabytes.
pub const FILLED_BYTES_MAX: usize = 4 * 1024 * 1024;
