//! What people see when a command does not succeed: `error:`, `caused by:`, `hint:`, and an exit code.
//!
//! [`Failure::from`] is the one list of which error means which exit code and deserves which hint.

use std::error::Error as StdError;
use std::fmt::{self, Display};
use std::io;

use pb_model::goal_file::Problems;
use pb_protocol::client::{self, NotFound};
use pb_protocol::{ErrorCode, RpcError};
use pb_runtime::config::ConfigError;
use pb_runtime::home::HomeError;
use pb_runtime::lock::LockError;

use crate::exit::Exit;

/// A failure as it is shown: lines of text and an exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    lines: Vec<String>,
}

impl Failure {
    /// A failure in one sentence: a lowercase fragment without a full stop.
    pub(crate) fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, lines: vec![format!("error: {message}")] }
    }

    /// What another process of ours rendered, passed on as it is.
    pub(crate) fn relayed(exit: Exit, text: &str) -> Self {
        Self { exit, lines: vec![text.trim_end().to_owned()] }
    }

    /// The same failure with what led to it. A cause that the line before has said already is left out.
    pub(crate) fn because(mut self, error: &dyn StdError) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let message = error.to_string();
            let message = message.trim_end();
            if !self.lines.last().is_some_and(|line| line.ends_with(message)) {
                self.lines.push(format!("caused by: {message}"));
            }
            cause = error.source();
        }
        self
    }

    /// The same failure with what to do next.
    pub(crate) fn hint(mut self, hint: impl Display) -> Self {
        self.lines.push(format!("hint: {hint}"));
        self
    }

    /// Everything wrong with a goal file, each problem at its place.
    pub(crate) fn of_problems(file: &str, problems: &Problems) -> Self {
        let mut lines = Vec::new();
        for problem in problems {
            let (line, column) = (problem.line, problem.column);
            lines.push(format!("error: {file}:{line}:{column}: {}", problem.message));
            lines.extend(problem.hint.as_ref().map(|hint| format!("hint: {hint}")));
        }
        if problems.left_out() > 0 {
            lines.push(format!("error: and {} more", problems.left_out()));
        }
        Self { exit: Exit::BadData, lines }
    }

    /// `error` with an exit code and hint of our choice.
    pub(crate) fn of(exit: Exit, error: &anyhow::Error) -> Self {
        let failure = Self::new(exit, error);
        match error.source() {
            Some(source) => failure.because(source),
            None => failure,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let (exit, hint) = error.chain().find_map(known).unwrap_or((Exit::Failed, None));
        let failure = Self::of(exit, &error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        Self::from(anyhow::Error::from(error))
    }
}

type Known = (Exit, Option<String>);

/// What an error of ours means to a person.
fn known(error: &(dyn StdError + 'static)) -> Option<Known> {
    None.or_else(|| error.downcast_ref().and_then(of_client))
        .or_else(|| error.downcast_ref().map(of_home))
        .or_else(|| error.downcast_ref().map(of_config))
        .or_else(|| error.downcast_ref().and_then(of_lock))
        .or_else(|| error.downcast_ref().and_then(of_gateway))
        .or_else(|| error.downcast_ref().map(of_store))
        .or_else(|| error.downcast_ref().and_then(of_io))
}

fn of_client(error: &client::Error) -> Option<Known> {
    Some(match error {
        client::Error::NotFound(NotFound::Token { .. }) => return None, // Why it cannot be read says it.
        client::Error::NotFound(NotFound::NotRunning | NotFound::Starting)
        | client::Error::Connect { .. }
        | client::Error::Closed => {
            (Exit::Unavailable, Some("start both processes with: pb start".to_owned()))
        }
        client::Error::TimedOut(_) => (Exit::Unavailable, Some("look at it with: pb status".to_owned())),
        client::Error::Protocol(_) => {
            (Exit::Failed, Some("another version may be running: pb gateway restart".to_owned()))
        }
        client::Error::Rpc(error) => {
            let ours = error.is(ErrorCode::GoalNotFound).then_some("see which there are with: pb goal list");
            (of_code(error), error.hint_text().or(ours).map(str::to_owned))
        }
    })
}

fn of_code(error: &RpcError) -> Exit {
    const EXITS: [(ErrorCode, Exit); 12] = [
        (ErrorCode::InvalidParams, Exit::Usage),
        (ErrorCode::GoalNotFound, Exit::Missing),
        (ErrorCode::WorkItemNotFound, Exit::Missing),
        (ErrorCode::RunNotFound, Exit::Missing),
        (ErrorCode::EscalationNotFound, Exit::Missing),
        (ErrorCode::ScheduleNotFound, Exit::Missing),
        (ErrorCode::AuthRequired, Exit::Refused),
        (ErrorCode::AuthFailed, Exit::Refused),
        (ErrorCode::PermissionDenied, Exit::Refused),
        (ErrorCode::RateLimited, Exit::Busy),
        (ErrorCode::ConnectionLimit, Exit::Busy),
        (ErrorCode::LowDisk, Exit::Busy),
    ];
    EXITS.iter().find(|(code, _)| error.is(*code)).map_or(Exit::Failed, |(_, exit)| *exit)
}

fn of_home(error: &HomeError) -> Known {
    let hint = match error {
        HomeError::Unknown => "set PB_HOME to a folder of yours",
        HomeError::SocketPathTooLong { .. } => "set PB_HOME to a folder with a shorter path",
        HomeError::NotOurs { .. } => "set PB_HOME to a folder that is yours",
        HomeError::Network { .. } => "set PB_HOME to a folder on a disk of this machine",
        HomeError::Io { .. } => "set PB_HOME to a folder in which you may write",
    };
    (Exit::Config, Some(hint.to_owned()))
}

fn of_config(error: &ConfigError) -> Known {
    let hint = match error {
        ConfigError::Io { .. } => "make the file readable, or move it away",
        ConfigError::Invalid { .. } => "correct the line, or move the file away for the defaults",
    };
    (Exit::Config, Some(hint.to_owned()))
}

fn of_lock(error: &LockError) -> Option<Known> {
    match error {
        LockError::Held { .. } => Some((Exit::Busy, Some("see what runs with: pb status".to_owned()))),
        LockError::Io { .. } => None,
    }
}

fn of_gateway(error: &pb_gateway::StartError) -> Option<Known> {
    use pb_gateway::StartError::{
        Config, Endpoint, Listen, Lock, NoAddress, NotLoopback, PortTaken, Socket, SocketFolderOpen,
        SocketObstructed, SocketPathTooLong, Store, Tls, Token,
    };
    let hint = match error {
        PortTaken { .. } => "take a free port: pb gateway start --port 0, or set PB_PORT=0",
        Listen { .. } => "take another address: pb gateway start --host 127.0.0.1 --port 0",
        NoAddress { .. } => "name an address of this machine: --host 127.0.0.1, or unset PB_HOST",
        NotLoopback { .. } => {
            "take 127.0.0.1 (--host 127.0.0.1, or unset PB_HOST), or let other machines in through TLS: `[gateway.tls]` \
             with `self_signed = true` in config.toml"
        }
        Tls(_) => "see `[gateway.tls]` in config.toml",
        SocketPathTooLong { .. } => "name a shorter path: --socket PATH, or a shorter PB_HOME",
        SocketFolderOpen { .. } => "close it to others (chmod 700), or name another path: --socket PATH",
        SocketObstructed { .. } | Socket { .. } => "move it away, or name another path: --socket PATH",
        Token { .. } | Endpoint { .. } => "make it readable and writable for you, or remove it",
        Config(_) | Lock(_) | Store(_) => return None, // They speak for themselves.
    };
    Some((Exit::Config, Some(hint.to_owned())))
}

fn of_store(error: &pb_store::Error) -> Known {
    use pb_store::Error::{
        BadId, Broken, Corrupt, Damaged, Database, Fenced, Foreign, Full, Gone, Interrupted, Io, NewerSchema,
        NotEnded,
    };
    let (exit, hint) = match error {
        NewerSchema { .. } => (Exit::Config, "a newer pb wrote it: use that one"),
        Foreign { .. } => (Exit::Config, "move it away, or name another file: --db PATH"),
        Io { .. } => (Exit::Config, "make it readable and writable for you, or name another file: --db PATH"),
        Full => (Exit::Busy, "free some space and start again; nothing that was answered is lost"),
        Interrupted => (Exit::Detached, "nothing was changed"),
        Damaged { .. } => (Exit::BadData, "take another backup, or look at the disk"),
        NotEnded { .. } => (Exit::Failed, "cancel it first: pb goal cancel"),
        Broken(_) | Database(_) | Corrupt { .. } | BadId { .. } => {
            (Exit::Failed, "look at the disk and at the log of the process")
        }
        Gone { .. } => (Exit::Busy, "try again: the scheduler makes a new one"),
        Fenced { .. } => (Exit::Busy, "another scheduler took over: pb status"),
    };
    (exit, Some(hint.to_owned()))
}

fn of_io(error: &io::Error) -> Option<Known> {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            let hint = "take a free port: pb gateway start --port 0, or set PB_PORT=0";
            Some((Exit::Config, Some(hint.to_owned())))
        }
        io::ErrorKind::PermissionDenied => Some((Exit::Refused, None)),
        _ => None,
    }
}
