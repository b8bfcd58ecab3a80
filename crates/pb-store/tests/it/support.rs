//! What the tests share: places to store, numbered events, seeded chance.

use std::path::{Path, PathBuf};

use pb_model::GoalId;
use pb_store::{Batch, EventRecord, Inbox, Location, Log, LogReader, NewCommand, NewEvent, Write};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use uuid::Uuid;

/// Where a store under test lives.
#[derive(Debug)]
pub(crate) enum Place {
    Temporary(TempDir),
    Folder(PathBuf),
    Memory,
}

impl Place {
    pub(crate) fn file() -> Self {
        Self::Temporary(TempDir::new().unwrap())
    }

    pub(crate) fn folder(path: PathBuf) -> Self {
        Self::Folder(path)
    }

    pub(crate) fn memory() -> Self {
        Self::Memory
    }

    /// Whether what is written outlives the object that wrote it.
    pub(crate) fn lasts(&self) -> bool {
        !matches!(self, Self::Memory)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Temporary(folder) => folder.path().join(name),
            Self::Folder(folder) => folder.join(name),
            Self::Memory => panic!("memory has no path"),
        }
    }

    fn location(&self, name: &str) -> Location {
        match self {
            Self::Temporary(_) | Self::Folder(_) => Location::File(self.path(name)),
            Self::Memory => Location::Memory,
        }
    }

    pub(crate) async fn log(&self) -> Log {
        Log::open(self.location("state.db"), "log-1".to_owned(), None).await.unwrap()
    }

    pub(crate) async fn inbox(&self) -> Inbox {
        Inbox::open(self.location("gateway.db"), "inbox-1".to_owned()).await.unwrap()
    }
}

/// The log at `path`, opened for writing as by the first start.
pub(crate) async fn open_log(path: &Path) -> Log {
    Log::open(Location::File(path.to_owned()), "log-1".to_owned(), None).await.unwrap()
}

pub(crate) fn goal(n: u128) -> GoalId {
    GoalId::from(Uuid::from_u128(n))
}

/// An event that says its number.
pub(crate) fn event(n: u64) -> NewEvent {
    NewEvent {
        id: format!("event-{n}"),
        at_ms: 1_000 + n,
        kind: "test.event".to_owned(),
        body: format!(r#"{{"n":{n}}}"#),
        data: format!("{n}"),
    }
}

/// A write of one numbered event.
pub(crate) fn append(to: GoalId, n: u64) -> Write {
    Write::Events { goal: to, events: vec![event(n)] }
}

/// A batch of numbered events.
pub(crate) fn events(to: GoalId, numbers: impl IntoIterator<Item = u64>) -> Batch {
    let events = numbers.into_iter().map(event).collect();
    batch([Write::Events { goal: to, events }])
}

pub(crate) fn batch(writes: impl IntoIterator<Item = Write>) -> Batch {
    Batch { writes: writes.into_iter().collect() }
}

pub(crate) fn command(id: &str) -> NewCommand {
    NewCommand {
        id: id.to_owned(),
        params_digest: "digest".to_owned(),
        actor: "ann".to_owned(),
        method: "goal.submit".to_owned(),
        params: "{}".to_owned(),
        goal: "goal".to_owned(),
        at_ms: 1_000,
    }
}

/// Everything in the log, read page by page.
pub(crate) async fn everything(reader: &LogReader) -> Vec<EventRecord> {
    let mut all: Vec<EventRecord> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.pos);
        let page = reader.events_after(after, 100).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// I2: positions count up from 1 without gaps, and so does each goal's `seq`.
pub(crate) fn assert_contiguous(events: &[EventRecord]) {
    let mut heads = std::collections::BTreeMap::<&str, u64>::new();
    for (index, event) in events.iter().enumerate() {
        assert_eq!(event.pos, index as u64 + 1, "a gap in pos before {event:?}");
        let head = heads.entry(&event.goal).or_default();
        *head += 1;
        assert_eq!(event.seq, *head, "a gap in seq before {event:?}");
    }
}

/// A connection beside ours, as a person with the `sqlite3` program has.
pub(crate) fn raw(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// I10: what SQLite itself says about the file.
pub(crate) fn integrity(path: &Path) -> String {
    raw(path).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// Seeded chance (`SplitMix64`): the same seed makes the same test.
#[derive(Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    /// A place in something of this length.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap()
    }
}
