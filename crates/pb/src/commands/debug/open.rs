//! `pb debug open`: a goal that somebody else has written into a file, behind the same API.

mod load;

use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_gateway::Gateway;
use pb_protocol::client::Patience;
use pb_protocol::domain::{Artifact, Escalation, Goal, Run, WorkItem};
use pb_protocol::methods::console::{Invite, InviteParams};
use pb_runtime::signals::StopSignals;
use pb_runtime::{Clock, Endpoint, Home, Ids};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::commands::console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, format, output, wait};
use load::{Loaded, load};

/// What the browser may do: look, at everything.
const LOOKS: [&str; 2] = ["read", "admin"];

/// Look at a goal in a file that `pb debug export` has written, without anything else of it
///
/// Opens the console with this goal alone, and serves its debug server, until Ctrl-C. The goal does not run, and nothing
/// of yours is touched. The address lets one browser in, once, within a minute.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb debug open report.pbgoal
  pb debug open report.pbgoal --json | jq .goal.status")]
pub(super) struct Args {
    /// The file
    file: PathBuf,
    /// The port of the console, on this machine only; 0 takes a free one
    #[arg(short, long, default_value_t = 0)]
    port: u16,
    /// Print the address, and open no browser
    #[arg(long)]
    no_open: bool,
    /// Print what stands in it as one JSON document, and end
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let runtime = wait::daemon()?;
    // Before there is anything that would be left behind. A terminal that is closed ends it too.
    let signals = {
        let _within = runtime.enter();
        StopSignals::of_daemon(true).context("cannot listen to signals")?
    };
    let scratch = Scratch::make()?;
    let ended = runtime.block_on(Box::pin(open(args, &scratch, signals)));
    drop(runtime); // With it whatever still writes there; then the folder goes.
    ended
}

async fn open(args: &Args, scratch: &Scratch, mut signals: StopSignals) -> Result<Exit, Failure> {
    let loaded = tokio::select! {
        loaded = load(&args.file, &scratch.home) => loaded?,
        () = signals.next() => return Ok(Exit::Detached),
    };
    if args.json {
        output::json(&summary(&loaded))?;
        return Ok(Exit::Ok);
    }
    let gateway = Gateway::start(scratch.config(args.port)).await.map_err(anyhow::Error::from)?;
    let debug = gateway.debug_address().context("there is no free port for the debug server")?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let ((), told) = tokio::join!(gateway.run(stop), async {
        let told = tell(&scratch.home, debug, &loaded, args.no_open).await;
        if told.is_ok() {
            signals.next().await;
        }
        stopping.cancel();
        told
    });
    told.map(|()| Exit::Ok)
}

/// Says where the goal is to be seen, and shows it.
async fn tell(home: &Home, debug: SocketAddr, loaded: &Loaded, no_open: bool) -> Result<(), Failure> {
    let invitation = InviteParams {
        permissions: LOOKS.map(str::to_owned).to_vec(),
        expires_at: None,
        idempotency_key: None,
    };
    let made = connection::client(home, Patience::None).call::<Invite>(&invitation).await?;
    let endpoint = Endpoint::read(&home.gateway_json()).context("the gateway does not say where it is")?;
    let url = format!("http://{}/#code={}", endpoint.address, made.code);
    let Loaded { header, counts, .. } = loaded;
    output::data(&url)?;
    output::note(format!(
        "{}: {}, {}, written {}",
        format::line(&header.title),
        format::count(counts.events, "event"),
        format::count(counts.trace, "debug event"),
        format::moment(header.exported_at)
    ));
    output::note(format!("for programs: http://{debug}/api/goals/{}; Ctrl-C ends it", header.goal));
    if !no_open {
        // A browser may take long to come back, and nothing waits for that: neither this, nor the end of the runtime.
        std::thread::spawn(move || console::show(&url));
    }
    Ok(())
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
            port,
            debug_port: Some(0),
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
        // A store that was just closed may have added a file meanwhile; what cannot be removed is left to who cleans /tmp.
        let _ = fs::remove_dir_all(&self.root).or_else(|_| fs::remove_dir_all(&self.root));
    }
}
