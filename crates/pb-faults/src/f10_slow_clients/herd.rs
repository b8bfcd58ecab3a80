//! Clients that do not read, in a process of their own: each needs a descriptor here and one in the gateway.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use futures_util::{StreamExt, stream};
use pb_runtime::{Home, Tasks};
use pb_store::Cursor;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::follower::{Asked, Follower, Told};
use crate::observe::Applied;
use crate::{Tally, processes};

/// What the kernel holds for a client (`SO_RCVBUF`), in bytes.
const RECEIVE_BUFFER_BYTES: u32 = 4096;
/// Clients that connect side by side.
const CONNECTING: usize = 64;
/// One client in so many reads on in the end, and is audited.
const AUDITED_EACH: u64 = 25;
/// One client in so many came by a token that stays, and one by a token that is revoked in the middle.
const TOKENS_EACH: u64 = 4;
/// One client in so many reads slowly all the time.
const SLOW_EACH: u64 = 10;
/// How often a slow client reads a frame.
const SLOW_READ: Duration = Duration::from_secs(1);
/// How long the audited ones may take in the end (I9).
const CATCH_UP_MAX: Duration = Duration::from_mins(1);
/// Descriptors beside those of the clients.
const DESCRIPTORS_MORE: u64 = 256;
/// Closed for reading too slowly (`wire.md` §2.3).
const SLOW_CONSUMER: u16 = 4008;

/// How many, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many clients
    #[arg(long)]
    clients: u64,
    /// How long they do not read, in seconds
    #[arg(long)]
    hold_s: u64,
    /// The position at which the log will end
    #[arg(long)]
    events: u64,
    /// Written when all are connected, and when all is over
    #[arg(long)]
    report: PathBuf,
    /// The access tokens that some come by, as JSON
    #[arg(long)]
    tokens: PathBuf,
}

/// Secrets of access tokens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Secrets {
    pub(super) stays: String,
    pub(super) is_revoked: String,
}

/// By what a client comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Own,
    Stays,
    Revoked,
}

impl Way {
    fn of(number: u64) -> Self {
        match number % TOKENS_EACH {
            1 => Self::Stays,
            3 => Self::Revoked,
            _ => Self::Own,
        }
    }

    fn token(self, secrets: &Secrets) -> Option<String> {
        match self {
            Self::Own => None,
            Self::Stays => Some(secrets.stays.clone()),
            Self::Revoked => Some(secrets.is_revoked.clone()),
        }
    }
}

/// What became of them.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Report {
    /// How many have a subscription.
    pub(super) connected: u64,
    /// How many of those came by the token that is revoked.
    pub(super) to_be_revoked: u64,
    /// How many of these were closed, and not let in again.
    pub(super) revoked: u64,
    /// Whether all is over.
    pub(super) is_over: bool,
    /// How many of the audited were closed with 4008 and connected again.
    pub(super) closed: u64,
    /// How many were cut off without a word and connected again.
    pub(super) cut_off: u64,
    pub(super) audited: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) reordered: u64,
    pub(super) failures: Vec<String>,
}

impl Report {
    /// What was written last; nothing yet is none.
    pub(super) fn read(path: &std::path::Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }

    fn write(&self, path: &std::path::Path) -> anyhow::Result<()> {
        let fresh = path.with_extension("new");
        std::fs::write(&fresh, serde_json::to_string(self)?)?;
        std::fs::rename(&fresh, path).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Connects, does not read, then lets some read to the end.
///
/// # Errors
/// There are too few descriptors, or the report cannot be written.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    processes::allow_descriptors(args.clients + DESCRIPTORS_MORE)?;
    let home = Home::from_environment()?;
    let secrets: Secrets = serde_json::from_slice(&std::fs::read(&args.tokens)?)?;
    let connecting = (0..args.clients).map(|number| {
        let (home, way) = (&home, Way::of(number));
        let token = way.token(&secrets);
        async move { (number, connect(home, "start".to_owned(), token).await) }
    });
    let mut report = Report::default();
    let mut followers = Vec::new();
    let mut connected = stream::iter(connecting).buffer_unordered(CONNECTING);
    while let Some((number, follower)) = connected.next().await {
        match follower {
            Ok(follower) => followers.push((number, follower)),
            Err(error) if report.failures.len() < 5 => report.failures.push(format!("{error:#}")),
            Err(_) => {}
        }
    }
    drop(connected);
    report.connected = followers.len() as u64;
    report.to_be_revoked =
        followers.iter().filter(|(number, _)| Way::of(*number) == Way::Revoked).count() as u64;
    report.write(&args.report)?;
    let deadline = Instant::now() + Duration::from_secs(args.hold_s);
    let tasks = Tasks::new();
    let mut audited = Vec::new();
    let (mut held, mut revoked) = (Vec::new(), Vec::new());
    for (number, follower) in followers {
        if Way::of(number) == Way::Revoked {
            revoked.push(follower);
        } else if number % AUDITED_EACH == 0 {
            audited.push((Way::of(number).token(&secrets), follower));
        } else if number % SLOW_EACH == 1 {
            tasks.spawn("slow", read_slowly(follower));
        } else {
            held.push(follower);
        }
    }
    tokio::time::sleep_until(deadline).await;
    finish(&home, audited, args, &mut report).await;
    let ending = revoked.into_iter().map(|follower| ended(&home, follower, &secrets.is_revoked));
    let ended: Vec<anyhow::Result<()>> = stream::iter(ending).buffer_unordered(CONNECTING).collect().await;
    report.revoked = ended.iter().filter(|ended| ended.is_ok()).count() as u64;
    report
        .failures
        .extend(ended.into_iter().filter_map(Result::err).take(5).map(|error| format!("{error:#}")));
    drop(held);
    tasks.stop(Duration::from_secs(5)).await;
    report.is_over = true;
    report.write(&args.report)
}

async fn connect(home: &Home, after: String, token: Option<String>) -> anyhow::Result<Follower> {
    let asked = Asked { after, kinds: None, receive_buffer: Some(RECEIVE_BUFFER_BYTES), token };
    Follower::connect(home, &asked).await
}

async fn read_slowly(mut follower: Follower) {
    while let Told::Frame(_) = follower.next().await {
        sleep(SLOW_READ).await;
    }
}

/// What a client whose token was revoked reads ends, and it does not come in again.
async fn ended(home: &Home, mut follower: Follower, secret: &str) -> anyhow::Result<()> {
    let reading = async { while let Told::Frame(_) = follower.next().await {} };
    tokio::time::timeout(CATCH_UP_MAX, reading).await.context("a revoked token keeps its connection")?;
    match connect(home, "start".to_owned(), Some(secret.to_owned())).await {
        Ok(_) => anyhow::bail!("a revoked token comes in again"),
        Err(_) => Ok(()),
    }
}

/// Lets the audited ones read to the end, from where they stopped.
async fn finish(home: &Home, followers: Vec<(Option<String>, Follower)>, args: &Args, report: &mut Report) {
    let ends = Arc::new(Ends::default());
    let reading =
        followers.into_iter().map(|follower| read_on(home, follower, args.events, Arc::clone(&ends)));
    let tallies: Vec<Tally> = stream::iter(reading).buffer_unordered(CONNECTING).collect().await;
    report.closed = ends.closed.load(Ordering::Relaxed);
    report.cut_off = ends.cut_off.load(Ordering::Relaxed);
    report.audited = tallies.len() as u64;
    let mut sum = Tally::default();
    for tally in tallies {
        sum.add(tally);
    }
    (report.lost, report.duplicated, report.reordered) = (sum.lost, sum.duplicated, sum.reordered);
    report.failures.extend(sum.failures);
}

/// How connections of the audited ended.
#[derive(Debug, Default)]
struct Ends {
    closed: AtomicU64,
    cut_off: AtomicU64,
}

async fn read_on(
    home: &Home,
    (token, mut follower): (Option<String>, Follower),
    events: u64,
    ends: Arc<Ends>,
) -> Tally {
    let (mut tally, mut applied) = (Tally::default(), Applied::default());
    let mut cursor = "start".to_owned();
    let deadline = Instant::now() + CATCH_UP_MAX;
    while applied.highest() < events {
        let Ok(told) = tokio::time::timeout_at(deadline, follower.next()).await else {
            tally.fail(format_args!("I9: a client stands at {} of {events}", applied.highest()));
            break;
        };
        match told {
            Told::Frame(text) => {
                let Ok(Some(frame)) = follower.read(&text) else { continue };
                let Some(next) = frame.cursor else { continue };
                next.clone_into(&mut cursor);
                if let ("event", Ok(at)) = (frame.r#type, next.parse::<Cursor>()) {
                    applied.apply(at.pos);
                }
            }
            Told::Closed(code) => {
                let count = if code == Some(SLOW_CONSUMER) { &ends.closed } else { &ends.cut_off };
                count.fetch_add(1, Ordering::Relaxed);
                match connect(home, cursor.clone(), token.clone()).await {
                    Ok(again) => follower = again,
                    Err(error) => {
                        tally.fail(format_args!("a client does not come back: {error:#}"));
                        break;
                    }
                }
            }
        }
    }
    applied.audit(1..=events, &mut tally);
    tally
}
