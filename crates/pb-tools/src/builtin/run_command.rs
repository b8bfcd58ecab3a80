//! `run_command`: one program, confined as every command of a goal is.

use std::error::Error as _;
use std::fmt::Write as _;

use futures_util::future::BoxFuture;
use pb_exec::{Finished, Outcome, SpawnError};
use pb_model::Effect;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::text::{beginning, end, one_line};
use crate::workspace::Workspace;
use crate::{Command, Output, Scope, ToolError, TypedTool};

/// The tool's name.
pub const RUN_COMMAND: &str = "run_command";
/// Longest run if the model gives no other, in seconds.
pub const COMMAND_TIME_LIMIT_S_DEFAULT: u64 = 120;
/// Longest run that a model can ask for, in seconds.
pub const COMMAND_TIME_LIMIT_S_MAX: u64 = 1800;

/// Most output that the model sees, in bytes: half from the beginning, half from the end.
const OUTPUT_BYTES_MAX: usize = 16 * 1024;
/// Longest command that an error repeats, in characters.
const SHOWN_COMMAND_CHARS_MAX: usize = 200;

#[derive(Debug)]
pub(super) struct RunCommand;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Given")]
pub(super) struct Arguments {
    argv: Vec<String>,
    cwd: Option<String>,
    time_limit_s: Option<u64>,
}

/// What models send: a list, or a line for a shell, which some put into `argv`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Program and arguments, each by itself, such as `cargo` and `test`; no shell is involved.
    #[serde(default, deserialize_with = "words_or_line")]
    #[schemars(with = "Option<Vec<String>>")]
    argv: Option<Vec<String>>,
    /// Instead of `argv`: a line that is run by `sh -c`.
    command: Option<String>,
    /// The folder to run in, relative to the workspace; the workspace itself if absent.
    cwd: Option<String>,
    /// Longest run in seconds, 1 to 1800; 120 if absent.
    time_limit_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a list of strings")]
enum WordsOrLine {
    Words(Vec<String>),
    Line(String),
}

fn words_or_line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Option::<WordsOrLine>::deserialize(deserializer)?.map(|given| match given {
        WordsOrLine::Words(words) => words,
        WordsOrLine::Line(line) => shell(line),
    }))
}

fn shell(line: String) -> Vec<String> {
    vec!["sh".to_owned(), "-c".to_owned(), line]
}

impl TryFrom<Given> for Arguments {
    type Error = &'static str;

    fn try_from(given: Given) -> Result<Self, Self::Error> {
        let Given { argv, command, cwd, time_limit_s } = given;
        let argv = match (argv, command) {
            (Some(argv), None) => argv,
            (None, Some(line)) => shell(line),
            (Some(_), Some(_)) => return Err("give either `argv` or `command`, not both"),
            (None, None) => return Err("missing field `argv`"),
        };
        if argv.first().is_none_or(String::is_empty) {
            return Err("`argv` names no program");
        }
        Ok(Self { argv, cwd, time_limit_s })
    }
}

impl TypedTool for RunCommand {
    type Arguments = Arguments;
    const NAME: &'static str = RUN_COMMAND;
    const DESCRIPTION: &'static str = "Runs a program and answers with its exit code and its output, of which \
         only the beginning and the end are shown if it is long. It has no input and no terminal. All that \
         it started ends with it. Writing outside of the workspace usually fails.";
    const EFFECT: Option<Effect> = None;

    fn about(arguments: &Arguments) -> String {
        spelled(&arguments.argv)
    }

    fn command(arguments: &Arguments) -> Option<Command> {
        let Arguments { argv, cwd, .. } = arguments;
        Some(Command { argv: argv.clone(), cwd: cwd.clone(), time_limit_s: time_limit_s(arguments) })
    }

    fn run<'a>(&'a self, arguments: Arguments, scope: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(run(arguments, scope))
    }
}

fn time_limit_s(arguments: &Arguments) -> u64 {
    arguments.time_limit_s.unwrap_or(COMMAND_TIME_LIMIT_S_DEFAULT).clamp(1, COMMAND_TIME_LIMIT_S_MAX)
}

async fn run(arguments: Arguments, scope: &Scope) -> Result<Output, ToolError> {
    let time_limit_s = time_limit_s(&arguments);
    let Arguments { argv, cwd, .. } = arguments;
    let cwd = match cwd {
        Some(cwd) => folder(scope, cwd).await?,
        None => None,
    };
    let command = Command { argv, cwd, time_limit_s };
    match scope.runner.run(&command).await {
        Ok(finished) => conclude(&command, &finished),
        Err(error) => Err(not_handed_over(&error)),
    }
}

/// The folder as the runner wants it; `None` for the workspace itself.
async fn folder(scope: &Scope, cwd: String) -> Result<Option<String>, ToolError> {
    let root = scope.workspace.clone();
    let look = move || {
        let folder = Workspace::open(&root)?.folder(&cwd)?;
        match folder.into_os_string().into_string() {
            Ok(folder) => Ok(Some(folder).filter(|folder| !folder.is_empty())),
            Err(_) => Err(ToolError::Model("the name of the folder is not UTF-8".to_owned())),
        }
    };
    tokio::task::spawn_blocking(look)
        .await
        .unwrap_or_else(|error| Err(ToolError::Host(format!("cannot look at the folder: {error}"))))
}

fn conclude(command: &Command, finished: &Finished) -> Result<Output, ToolError> {
    let shown = || one_line(&spelled(&command.argv), SHOWN_COMMAND_CHARS_MAX);
    let (how, ok) = match &finished.outcome {
        Outcome::Exited(code) => (format!("exit code {code}"), *code == 0),
        Outcome::Signaled(signal) => (format!("ended by signal {signal}"), false),
        Outcome::TimedOut => (
            format!(
                "ended after {} s, which was its time limit; what it had begun may be half done",
                command.time_limit_s
            ),
            false,
        ),
        Outcome::Stopped => return Err(ToolError::Unknown(format!("`{}` was stopped", shown()))),
        Outcome::Lost => return Err(ToolError::Unknown(format!("the keeper of `{}` died", shown()))),
        Outcome::NotStarted(why) => {
            return Err(ToolError::Model(format!("`{}` was not started: {why}", shown())));
        }
    };
    let mut text = how;
    if finished.leftovers_killed > 0 {
        let _ = write!(
            text,
            "\n[processes that it left running and that ended with it: {}]",
            finished.leftovers_killed
        );
    }
    let output = shortened(&finished.output);
    text.push_str(if output.trim().is_empty() { "\n[no output]" } else { "\n" });
    text.push_str(output.trim_end());
    Ok(Output { text, ok })
}

/// The output, cut in the middle to [`OUTPUT_BYTES_MAX`].
fn shortened(output: &pb_exec::Output) -> String {
    let text = output.text();
    if text.len() <= OUTPUT_BYTES_MAX {
        return text;
    }
    let head = beginning(&text, OUTPUT_BYTES_MAX / 2);
    let tail = end(&text, OUTPUT_BYTES_MAX / 2);
    let left_out = output.bytes_total.saturating_sub((head.len() + tail.len()) as u64);
    format!("{head}\n… {left_out} bytes left out …\n{tail}")
}

fn not_handed_over(error: &SpawnError) -> ToolError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    let text = format!("cannot run the command: {text}");
    match error {
        SpawnError::Encode(_) | SpawnError::TooLarge { .. } => ToolError::Model(text),
        SpawnError::Pipe(_) | SpawnError::Keeper { .. } | SpawnError::HandOver(_) => ToolError::Host(text),
    }
}

/// The command as one would type it.
fn spelled(argv: &[String]) -> String {
    match argv {
        [shell, option, line] if shell == "sh" && option == "-c" => line.clone(),
        _ => argv.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
