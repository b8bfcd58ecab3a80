//! How much a specification may hold. Every list and text that comes from outside has a limit.

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
/// Longest description of a goal or item, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;
/// Most success criteria of one goal.
pub const CRITERIA_MAX: usize = 64;
/// Longest text of a success criterion, in bytes.
pub const CRITERION_BYTES_MAX: usize = 4 * 1024;
/// Most tags of one goal.
pub const TAGS_MAX: usize = 32;
/// Longest tag, in characters.
pub const TAG_CHARS_MAX: usize = 64;
/// Most inputs of one goal.
pub const INPUTS_MAX: usize = 64;
/// Longest name of an input, in bytes.
pub const INPUT_NAME_BYTES_MAX: usize = 64;
/// Longest value of one input, in bytes; half of what Linux allows for one environment variable.
pub const INPUT_BYTES_MAX: usize = 64 * 1024;
/// Longest path, in bytes: Linux's own limit.
pub const PATH_BYTES_MAX: usize = 4096;
/// Most work items in one goal.
pub const ITEMS_MAX: usize = 200;
/// Longest id of a work item, in characters.
pub const KEY_CHARS_MAX: usize = 64;
/// Longest prompt of an agent item, in bytes.
pub const PROMPT_BYTES_MAX: usize = 64 * 1024;
/// Most tools that one agent item names.
pub const TOOLS_MAX: usize = 128;
/// Longest name of a tool, in characters.
pub const TOOL_NAME_CHARS_MAX: usize = 128;
/// Answers of the model in one attempt of an agent item that names no limit.
pub const TURNS_DEFAULT: u32 = 40;
/// Most answers that an agent item may allow in one attempt.
pub const TURNS_MAX: u32 = 1_000;
/// Longest name of a model, in characters.
pub const MODEL_NAME_CHARS_MAX: usize = 200;
/// Most gates on one work item.
pub const GATES_MAX: usize = 32;
/// Longest name of a gate, in characters.
pub const GATE_NAME_CHARS_MAX: usize = 200;
/// Longest text that a gate looks for, in bytes.
pub const GATE_TEXT_BYTES_MAX: usize = 16 * 1024;
/// Longest regular expression of a gate, in bytes.
pub const GATE_REGEX_BYTES_MAX: usize = 4 * 1024;
/// Most patterns of paths in one list of a gate.
pub const GATE_PATHS_MAX: usize = 64;
/// Longest JSON Schema that stands in a gate, in bytes.
pub const GATE_SCHEMA_BYTES_MAX: usize = 64 * 1024;
/// The status that an `http` gate wants that names none.
pub const HTTP_STATUS_DEFAULT: u16 = 200;
/// Time limit of an `http` gate that names none, in seconds.
pub const HTTP_TIME_LIMIT_S_DEFAULT: u64 = 60;
/// Highest exit code that a program can end with.
pub const EXIT_CODE_MAX: i32 = 255;
/// Most points of a review.
pub const RUBRIC_MAX: usize = 16;
/// Longest point of a review, in bytes.
pub const RUBRIC_BYTES_MAX: usize = 1024;
/// Most arguments of one command.
pub const ARGV_MAX: usize = 1024;
/// Longest command line (all arguments together), in bytes.
pub const ARGV_BYTES_MAX: usize = 128 * 1024;
/// Most environment variables that one command sets.
pub const ENV_MAX: usize = 128;
/// Longest environment that one command sets (all names and values together), in bytes.
pub const ENV_BYTES_MAX: usize = 128 * 1024;
/// Most TCP ports that one command lists.
pub const TCP_PORTS_MAX: usize = 64;
/// Highest `max_retries`.
pub const RETRIES_MAX: u32 = 10;
/// Retries of a pure or idempotent item that does not say how many (`wire.md` §4.1).
pub const RETRIES_DEFAULT: u32 = 3;
/// Time limit of a command that names none, in seconds.
pub const TIME_LIMIT_S_DEFAULT: u64 = 600;
/// Longest time limit of a command, in seconds (a day).
pub const TIME_LIMIT_S_MAX: u64 = 24 * 3600;
/// Highest priority.
pub const PRIORITY_MAX: u8 = 100;
/// Priority of a goal that names none; 0 to 100, higher first.
pub const PRIORITY_DEFAULT: u8 = 50;
