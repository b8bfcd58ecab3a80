//! `pb chat`: a conversation with the worker.

mod show;
mod stored;
mod talk;

use std::path::PathBuf;

use pb_protocol::client::Patience;
use pb_runtime::Home;

use crate::asked::absolute;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, daemon, models_there, output, wait};

/// Talk with the worker; what you want done becomes a goal
///
/// With a message: says it, prints the answer, and ends; with --wait when the goals of the conversation have
/// ended, too. Without one: every line that you write is a message, until the end of the input. The result of
/// a goal comes back into the conversation, also when nobody listens.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb chat \"What can you do?\"
  pb chat --workspace . \"修好失败的测试\" --wait
  pb chat --continue
  pb chat --list
  pb chat --history 3f2a --json

Exits 0 when it was answered, 1 when there is no answer; with --wait as `pb run` does; 130 after Ctrl-C.")]
pub(crate) struct Args {
    /// What you say
    #[arg(value_name = "MESSAGE")]
    message: Vec<String>,
    /// Go on with this conversation: its id, or a part that no other has
    #[arg(long, value_name = "ID", conflicts_with = "continue")]
    session: Option<String>,
    /// Go on with the last conversation
    #[arg(long, short = 'c')]
    r#continue: bool,
    /// In whose voice a new one is held: the name of a file in `personas` in the home, without `.toml`
    #[arg(long, value_name = "NAME", conflicts_with_all = ["session", "continue"])]
    persona: Option<String>,
    /// The folder in which goals of a new one work; each has a new one of its own if absent
    #[arg(long, value_name = "DIR", conflicts_with_all = ["session", "continue"])]
    workspace: Option<PathBuf>,
    /// Stay until the goals of the conversation have ended
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    stored: Stored,
    /// Print one event a line as JSON; with --list or --history, one document
    #[arg(long)]
    json: bool,
}

/// Conversations that were held.
#[derive(Debug, clap::Args)]
struct Stored {
    /// List the conversations
    #[arg(long, conflicts_with_all = ["message", "session", "continue", "wait", "history", "end"])]
    list: bool,
    /// Print what was said in one
    #[arg(long, value_name = "ID", conflicts_with_all = ["message", "session", "continue", "wait", "end"])]
    history: Option<String>,
    /// End one; its goals go on
    #[arg(long, value_name = "ID", conflicts_with_all = ["message", "session", "continue", "wait"])]
    end: Option<String>,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let looking = || connection::client(&home, Patience::None);
    if args.stored.list {
        return wait::client(stored::list(&looking(), args.json));
    }
    if let Some(id) = &args.stored.history {
        return wait::client(stored::history(&looking(), id, args.json));
    }
    if let Some(id) = &args.stored.end {
        return wait::client(stored::end(&looking(), id));
    }
    let message = args.message.join(" ");
    if !args.message.is_empty() && message.trim().is_empty() {
        return Err(
            Failure::new(Exit::Usage, "the message is empty").hint("say something: pb chat \"Hello\"")
        );
    }
    home.prepare()?;
    wait::client(models_there::check(&home))?;
    if daemon::ensure_both(&home, false)? {
        output::note("they go on in the background; stop them with: pb stop");
    }
    let workspace = args.workspace.as_deref().map(absolute).transpose()?;
    wait::client(async {
        let client = connection::client(&home, connection::MINUTES);
        let going_on = match (&args.session, args.r#continue) {
            (Some(id), _) => Some(stored::find(&client, id).await?),
            (None, true) => Some(stored::last(&client).await?),
            (None, false) => None,
        };
        let begin = talk::Begin { going_on, persona: args.persona, workspace };
        let how =
            talk::How { once: (!message.is_empty()).then_some(message), wait: args.wait, json: args.json };
        talk::talk(&home, client, begin, how).await
    })
}
