//! The child that writes in the store: it keeps commands and executes them, as gateway and scheduler do, and
//! says what was answered. What it does follows from its seed: the same calls in the same order.
//!
//! ```text
//!   put, put --> gateway.db --> after(read) --> commit(events, row, steps, results, inbox_read) --> forget
//!       \ said: kept                                 \ said: executed
//! ```
//!
//! Between its batches it compacts goals that ended (`retention`).

pub mod check;
pub mod opens;
pub mod process;
pub mod retention;
pub mod said;
pub mod script;

use std::path::PathBuf;
use std::time::Duration;

use pb_store::{Error, Inbox, InboxReader, Location, Log};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::witness::Witness;
use said::{Refusal, Said};

/// Most commands that are put side by side, to be committed together.
const CALLERS_MAX: u64 = 4;
/// Most commands executed in one batch.
const BATCH_MAX: usize = 8;
/// One in so many steps forgets what was executed.
const FORGETS_ONE_IN: u64 = 8;
/// One in so many steps compacts a part of an ended goal, or makes one.
const COMPACTS_ONE_IN: u64 = 4;
/// Pause after the disk was full, before it is tried again.
const FULL_PAUSE: Duration = Duration::from_millis(2);

/// What to write, and for how long.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of both files
    #[arg(long)]
    folder: PathBuf,
    /// The file to say things in, instead of standard output
    #[arg(long)]
    witness: Option<PathBuf>,
    /// What is done follows from it
    #[arg(long)]
    seed: u64,
    /// Ends after so many commands, instead of never
    #[arg(long)]
    commands: Option<u64>,
    /// Closes and opens both files after so many commands
    #[arg(long)]
    reopen_every: Option<u64>,
    /// Most bytes in an event beside what is always there
    #[arg(long, default_value_t = 400)]
    fill_max: u64,
}

/// Writes until it ends or is killed.
///
/// # Errors
/// The store refused for another reason than a full disk; said to the witness too.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let witness = match &args.witness {
        Some(path) => Witness::append(path)?,
        None => Witness::on_stdout()?,
    };
    write(args, &witness).await
}

async fn write(args: &Args, witness: &Witness) -> anyhow::Result<()> {
    let mut chance = StdRng::seed_from_u64(args.seed);
    let mut left = args.commands.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(mut session) = Session::open(args, witness).await? else { continue };
        let mut until_close = args.reopen_every.unwrap_or(u64::MAX);
        while left > 0 && until_close > 0 {
            let put = session.step(&mut chance, args.fill_max).await?;
            left = left.saturating_sub(put);
            until_close = until_close.saturating_sub(put);
        }
        witness.say(&Said::Closing)?;
    }
    witness.say(&Said::Done)
}

/// Both files, open.
struct Session<'a> {
    witness: &'a Witness,
    log: Log,
    inbox: Inbox,
    waiting: InboxReader,
    incarnation: u64,
    /// Up to which position the inbox was executed.
    read: u64,
    /// The last command that was put, counted in this incarnation.
    command: u64,
    /// The last step of this incarnation's run.
    step: u32,
}

impl<'a> Session<'a> {
    /// Opens both; `None` when the disk is full.
    async fn open(args: &Args, witness: &'a Witness) -> anyhow::Result<Option<Self>> {
        let at = |name: &str| Location::File(args.folder.join(name));
        let opened = async {
            let inbox = Inbox::open(at(INBOX_FILE), "inbox".to_owned()).await?;
            let log = Log::open(at(LOG_FILE), "log".to_owned(), None).await?;
            let read = log.reader().inbox_read(inbox.id()).await?;
            Ok::<_, Error>((inbox, log, read))
        };
        let (inbox, log, read) = match opened.await {
            Ok(opened) => opened,
            Err(error) => {
                refused(witness, &error).await?;
                return Ok(None);
            }
        };
        let incarnation = log.identity().incarnation;
        witness.say(&Said::Up { incarnation })?;
        let waiting = inbox.reader();
        Ok(Some(Self { witness, log, inbox, waiting, incarnation, read, command: 0, step: 0 }))
    }

    /// Keeps some commands, then executes some that wait. Tells how many were put.
    async fn step(&mut self, chance: &mut StdRng, fill_max: u64) -> anyhow::Result<u64> {
        let count = chance.random_range(1..=CALLERS_MAX);
        let mut commands = Vec::new();
        for _ in 0..count {
            self.command += 1;
            commands.push(script::command(self.incarnation, self.command, chance.random_range(0..=fill_max)));
        }
        // Each is said when it is answered: the next commit may fail.
        let puts = commands.into_iter().map(|command| async {
            match self.inbox.put(command).await {
                Ok(put) => self.witness.say(&Said::Kept { id: put.row.command.id, pos: put.row.pos }),
                Err(error) => refused(self.witness, &error).await,
            }
        });
        futures_util::future::try_join_all(puts).await?;
        if let Err(error) = self.execute().await? {
            refused(self.witness, &error).await?;
        }
        if chance.random_range(0..FORGETS_ONE_IN) == 0
            && let Err(error) = self.inbox.forget(self.read).await
        {
            refused(self.witness, &error).await?;
        }
        if chance.random_range(0..COMPACTS_ONE_IN) == 0 {
            match retention::go_on(&self.log, (self.incarnation, self.command)).await? {
                Ok(said) => said.map_or(Ok(()), |said| self.witness.say(&said))?,
                Err(error) => refused(self.witness, &error).await?,
            }
        }
        Ok(count)
    }

    /// One batch of what waits. The outer error is the witness's.
    async fn execute(&mut self) -> anyhow::Result<Result<(), Error>> {
        let rows = match self.waiting.after(self.read, BATCH_MAX).await {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        let Some(last) = rows.last().map(|row| row.pos) else { return Ok(Ok(())) };
        let batch = script::execution(&rows, self.inbox.id(), self.incarnation, self.step + 1);
        let committed = match self.log.commit(batch).await {
            Ok(committed) => committed,
            Err(error) => return Ok(Err(error)),
        };
        self.step += 1;
        self.read = last;
        let ids = rows.into_iter().map(|row| row.command.id).collect();
        let last_pos = committed.events.last().map_or(0, |event| event.pos);
        self.witness.say(&Said::Executed { ids, last_pos })?;
        Ok(Ok(()))
    }
}

/// The name of the log's file.
pub const LOG_FILE: &str = "state.db";
/// The name of the inbox's file.
pub const INBOX_FILE: &str = "gateway.db";

/// Does what the daemons do: waits for space when the disk is full, and ends at once when it failed (D11).
async fn refused(witness: &Witness, error: &Error) -> anyhow::Result<()> {
    let said = |refusal| Said::Refused { refusal, error: chain(error) };
    match error {
        Error::Full => {
            witness.say(&said(Refusal::Full))?;
            tokio::time::sleep(FULL_PAUSE).await;
            Ok(())
        }
        Error::Broken(_) => {
            witness.say(&said(Refusal::Broken))?;
            std::process::abort();
        }
        Error::Fenced { .. }
        | Error::NewerSchema { .. }
        | Error::Foreign { .. }
        | Error::Database(_)
        | Error::Corrupt { .. }
        | Error::NotEnded { .. }
        | Error::Interrupted
        | Error::Damaged { .. }
        | Error::BadId { .. }
        | Error::Gone { .. }
        | Error::Io { .. } => {
            witness.say(&said(Refusal::Failed))?;
            anyhow::bail!("the store refused: {}", chain(error))
        }
    }
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
