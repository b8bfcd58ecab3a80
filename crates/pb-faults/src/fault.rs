//! What a fault is, and all of them.

use std::fmt;
use std::path::PathBuf;

use pb_runtime::faultpoints::Bug;

use crate::{
    Tally, f01_killed_writer, f02_kills, f03_power_loss, f04_delivery, f05_simulation, f07_failing_calls,
    f08_full_disk, f09_malformed, f10_slow_clients, f11_toxics, f12_clock, f13_bad_starts, f14_drain,
    f15_migrations, f17_models_and_tools, f18_held_reader, f20_leaks, lifecycle,
};

/// How much is done: seconds, minutes, hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Seconds; in every run of the tests.
    Smoke,
    /// Minutes; the sizes of `durability.md` §8.
    Ci,
    /// Until somebody ends it, or the time that is given is over.
    Soak,
}

impl Size {
    /// One of three numbers.
    pub fn pick<T>(self, smoke: T, ci: T, soak: T) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Ci => ci,
            Self::Soak => soak,
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Smoke => "smoke",
            Self::Ci => "ci",
            Self::Soak => "soak",
        })
    }
}

/// What a fault is run with.
#[derive(Debug, Clone)]
pub struct Run {
    /// How much is done.
    pub size: Size,
    /// Everything random follows from it.
    pub seed: u64,
    /// An empty folder on a real disk.
    pub folder: PathBuf,
    /// The suite's own program, for children.
    pub exe: PathBuf,
    /// The `pb` under test, for faults of whole processes.
    pub pb: Option<PathBuf>,
    /// The bug that the processes under test have: then one sight of it is enough.
    pub bug: Option<Bug>,
}

/// One way to fail.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its number in `durability.md` §8, such as `F1`.
    pub id: &'static str,
    /// What is done, in a few words.
    pub what: &'static str,
    /// Does it, and counts. An error means that the suite itself could not go on; what the product did
    /// wrong is in the tally.
    pub run: fn(&Run) -> anyhow::Result<Tally>,
}

/// Every fault: the kill matrix, then the others in the order of their numbers.
pub const FAULTS: &[Fault] = &[
    Fault { id: "lifecycle", what: "kill -9 at every commit of fourteen goals", run: lifecycle::run },
    Fault { id: "F1", what: "kill -9 of a writer of the store", run: f01_killed_writer::run },
    Fault { id: "F2", what: "kill -9 while real commands run", run: f02_kills::run },
    Fault { id: "F3", what: "power loss under a writer of the store", run: f03_power_loss::run },
    Fault { id: "F4", what: "kills, reconnects and a bell that lies", run: f04_delivery::run },
    Fault { id: "F5", what: "simulated schedules and crashes", run: f05_simulation::run },
    Fault { id: "F7", what: "one call to the disk fails, each in turn", run: f07_failing_calls::run },
    Fault { id: "F8", what: "a full disk, then space again", run: f08_full_disk::run },
    Fault { id: "F9", what: "malformed lines, messages and frames", run: f09_malformed::run },
    Fault { id: "F10", what: "clients that do not read", run: f10_slow_clients::run },
    Fault { id: "F11", what: "a toxic link", run: f11_toxics::run },
    Fault { id: "F12", what: "a clock that jumps by hours and years", run: f12_clock::run },
    Fault {
        id: "F13",
        what: "starts that cannot succeed, or come after the worst",
        run: f13_bad_starts::run,
    },
    Fault { id: "F14", what: "asked to stop while work is under way", run: f14_drain::run },
    Fault { id: "F15", what: "kill -9 at each step of a migration", run: f15_migrations::run },
    Fault {
        id: "F17",
        what: "models and tools that do what they should not",
        run: f17_models_and_tools::run,
    },
    Fault { id: "F18", what: "readers beside a writer at full speed", run: f18_held_reader::run },
    Fault { id: "F20", what: "a week of work, restarted each night", run: f20_leaks::run },
];
