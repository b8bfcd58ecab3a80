//! `pb debug open`: a goal that somebody else has written into a file, behind the same API.

mod load;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_gateway::Gateway;
use pb_protocol::domain::{Artifact, Escalation, Goal, Run, WorkItem};
use pb_runtime::signals::StopSignals;
use pb_runtime::{Clock, Home, Ids};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, wait};
use load::{Loaded, load};

/// Look at a goal in a file that `pb debug export` has written, without anything else of it
///
/// Serves what the debug server of a gateway does, of this goal alone, to programs of your own user, until Ctrl-C. The
/// goal does not run, nothing can be changed, and nothing of yours is touched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug open report.pbgoal
  pb debug open report.pbgoal --json | jq .goal.status")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    /// The port to listen on, on this machine only; 0 takes a free one
    #[arg(short, long, default_value_t = 0)]
    port: u16,
    /// Print what stands in it as one JSON document, and end
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    wait::daemon()?.block_on(Box::pin(open(args)))
}

async fn open(args: &Args) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    let scratch = Scratch::make()?;
    let loaded = tokio::select! {
        loaded = load(&args.file, &scratch.home) => loaded?,
        () = signals.next() => return Ok(Exit::Detached),
    };
    if args.json {
        output::json(&summary(&loaded))?;
        return Ok(Exit::Ok);
    }
    let Loaded { header, counts, .. } = loaded;
    let gateway = Gateway::start(scratch.config(args.port)).await.map_err(anyhow::Error::from)?.only_debug();
    let address = gateway.debug_address().context("the port cannot be listened on; take another: --port")?;
    output::data(format!("http://{address}/api/goals/{}", header.goal))?;
    output::note(format!(
        "{}: {}, {}, written {}; Ctrl-C ends it",
        format::line(&header.title),
        format::count(counts.events, "event"),
        format::count(counts.trace, "debug event"),
        format::moment(header.exported_at)
    ));
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::join!(gateway.run(stop), async move {
        signals.next().await;
        stopping.cancel();
    });
    Ok(Exit::Ok)
}

/// What stands in a file, as one document.
fn summary(Loaded { header, state, counts }: &Loaded) -> Value {
    json!({
        "file": header,
        "goal": Goal::from(&state.goal),
        "workItems": state.items.iter().map(|item| WorkItem::of(item, state)).collect::<Vec<_>>(),
        "runs": state.runs.iter().map(|run| Run::of(run, state)).collect::<Vec<_>>(),
        "artifacts": state.artifacts.iter().map(Artifact::from).collect::<Vec<_>>(),
        "escalations": state.escalations.iter().map(Escalation::from).collect::<Vec<_>>(),
        "events": counts.events,
        "debugEvents": counts.trace,
    })
}

/// A home of its own, gone with everything in it.
#[derive(Debug)]
struct Scratch {
    root: PathBuf,
    home: Home,
}

impl Scratch {
    fn make() -> Result<Self, Failure> {
        let name = format!("pb-open-{}", Ids::random(Clock::System).uuid().simple());
        // Short, as the path of a socket must be.
        let root = Path::new("/tmp").join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&root)
            .with_context(|| format!("cannot make {}", root.display()))?;
        // Below here a failure removes it again.
        let home = Home::at(&root)?;
        let scratch = Self { root, home };
        scratch.home.prepare()?;
        Ok(scratch)
    }

    /// A gateway that knows nothing but this goal.
    fn config(&self, port: u16) -> pb_gateway::Config {
        pb_gateway::Config {
            home: self.home.clone(),
            host: "127.0.0.1".to_owned(),
            port: 0,
            debug_port: Some(port),
            socket: self.home.gateway_socket(),
            state_db: self.home.state_db(),
            web_dir: None,
            tools_are_confined: pb_exec::support().net,
            tls: None,
            names: Vec::new(),
            pending_connections: None,
            legacy_peers: false,
            clock: Clock::System,
            ids: Ids::random(Clock::System),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root); // What cannot be removed is left to who cleans /tmp.
    }
}
