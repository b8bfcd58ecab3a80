//! The step: confines itself and becomes the tool.

use std::convert::Infallible;
use std::error::Error as _;
use std::io;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use rustix::process::setsid;

use crate::confine;
use crate::message::{JOB_BYTES_MAX, LineReader, StepReport, send, stdin_socket};
use crate::{Job, STEP_VARIABLE, process};

/// The step. Call it from `main`, before any thread exists (Landlock confines threads, not
/// processes), when the first argument is [`crate::STEP_WORD`].
pub fn step_main() -> ExitCode {
    let Ok(socket) = stdin_socket() else {
        return ExitCode::FAILURE;
    };
    let error = match become_tool(&socket) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    // Without a keeper to hear it, there is nobody to tell.
    let _ = send(&socket, &StepReport::Error(text));
    ExitCode::FAILURE
}

/// The first descriptor after standard input, output and error.
const FIRST_INHERITED_FD: i32 = 3;

/// Why the step could not become the tool.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("the keeper sent no job")]
    NoJob,
    #[error("the job cannot be read")]
    Job(#[from] serde_json::Error),
    #[error("the command is empty")]
    EmptyCommand,
    #[error("cannot enter the working folder {}", path.display())]
    WorkingFolder { path: PathBuf, source: io::Error },
    #[error("cannot leave the session")]
    Session(#[source] io::Error),
    #[error("cannot confine the tool")]
    Confine(#[from] confine::Error),
    #[error("cannot tell the keeper")]
    Keeper(#[source] io::Error),
    #[error("program not found: `{program}` is in no folder of PATH ({search})")]
    NotInPath { program: String, search: String },
    #[error("program not found: `{program}` (or the interpreter in its first line) does not exist")]
    NotFound { program: String },
    #[error("cannot run `{program}`")]
    Run { program: String, source: io::Error },
}

fn become_tool(socket: &UnixStream) -> Result<Infallible, Error> {
    let line = LineReader::new(JOB_BYTES_MAX).wait_line(socket).ok_or(Error::NoJob)?;
    let job: Job = serde_json::from_slice(&line)?;
    let (program, arguments) = job.argv.split_first().ok_or(Error::EmptyCommand)?;
    std::env::set_current_dir(&job.cwd)
        .map_err(|source| Error::WorkingFolder { path: job.cwd.clone(), source })?;
    // A session of its own: no terminal to read from, and its own process group.
    setsid().map_err(|errno| Error::Session(errno.into()))?;
    let enforced = confine::apply(&job.confinement)?;
    send(socket, &StepReport::Confined(enforced)).map_err(Error::Keeper)?;

    // What the scheduler inherited without knowing (from a terminal, an editor, a service manager)
    // would be open to the tool in spite of Landlock, which looks only when a file is opened.
    close_fds::set_fds_cloexec(FIRST_INHERITED_FD, &[]);

    // `exec` looks the program up in the PATH that is set here, not in ours. It returns only
    // when it failed; otherwise the socket, which is close-on-exec, closes without a word.
    let source = process::command(program.as_ref())
        .args(arguments)
        .env_clear()
        .envs(&job.env)
        .env(STEP_VARIABLE, &job.step)
        .stdin(Stdio::null())
        .exec();
    Err(why_not(program, &job, source))
}

fn why_not(program: &str, job: &Job, source: io::Error) -> Error {
    let program = program.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound if program.contains('/') => Error::NotFound { program },
        io::ErrorKind::NotFound => {
            Error::NotInPath { program, search: job.env.get("PATH").cloned().unwrap_or_default() }
        }
        _ => Error::Run { program, source },
    }
}
