//! Fault F1: kill -9 of a process that writes as fast as it can, at random moments.
//!
//! This binary starts itself again as the writer. It says on its standard output what was
//! answered to it; whatever it said must be in the files (I1).

use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::support::{Chance, Place, append, assert_contiguous, batch, command, everything, goal, integrity};

/// Names the folder to write in, for the child.
const FOLDER: &str = "PB_STORE_CRASH_FOLDER";
/// Kills in the smoke tier.
const KILLS: u64 = 30;
const SEED: u64 = 20_261_122;

#[test]
fn what_was_answered_survives_kill_9() {
    let place = Place::file();
    let mut chance = Chance(SEED);
    let mut seen = Seen::default();
    for round in 0..KILLS {
        let mut child = start(place.path("."));
        let said = kill_sometime(&mut child, &mut chance);
        seen.hear(&said);
        verify(&place, &mut seen, round);
    }
    let Seen { events, commands, .. } = seen;
    assert!(events > 500 && commands.len() > 50, "the writer had time to write");
}

/// What the killed writers were answered.
#[derive(Debug, Default)]
struct Seen {
    /// The highest position answered; the event there carries the same number.
    events: u64,
    /// Positions and ids of answered commands.
    commands: Vec<(u64, String)>,
    incarnation: u64,
}

impl Seen {
    fn hear(&mut self, said: &str) {
        for line in said.lines() {
            let mut words = line.split(' ');
            let (kind, number) = (words.next(), words.next().and_then(|n| n.parse::<u64>().ok()));
            match (kind, number) {
                (Some("up"), Some(incarnation)) => {
                    assert!(incarnation > self.incarnation, "{incarnation} is an old incarnation");
                    self.incarnation = incarnation;
                }
                (Some("event"), Some(pos)) => self.events = self.events.max(pos),
                (Some("command"), Some(pos)) => {
                    self.commands.push((pos, words.next().unwrap().to_owned()));
                }
                _ => {} // What the test harness prints.
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn verify(place: &Place, seen: &mut Seen, round: u64) {
    let hint = format!("seed {SEED}, kill {round}");
    let log = place.log().await;
    let incarnation = log.identity().incarnation;
    assert!(incarnation > seen.incarnation, "{hint}: the incarnation rises");
    seen.incarnation = incarnation;

    let events = everything(&log.reader()).await;
    assert_contiguous(&events);
    assert!(events.len() as u64 >= seen.events, "{hint}: an answered event is lost");
    for event in &events {
        assert_eq!(event.data, event.pos.to_string(), "{hint}");
    }
    let inbox = place.inbox().await;
    let kept = inbox.reader().after(0, usize::MAX).await.unwrap();
    let kept: Vec<_> = kept.into_iter().map(|row| (row.pos, row.command.id)).collect();
    assert!(kept.is_sorted_by(|a, b| a.0 < b.0), "{hint}");
    for command in &seen.commands {
        assert!(kept.contains(command), "{hint}: the answered {command:?} is lost");
    }
    drop((log, inbox));
    for name in ["state.db", "gateway.db"] {
        assert_eq!(integrity(&place.path(name)), "ok", "{hint}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the test kills a process that it starts itself")]
fn start(folder: impl AsRef<Path>) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::the_writer_that_is_killed", "--nocapture"])
        .env(FOLDER, folder.as_ref())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills the child while it opens, or some microseconds after one of its first answers, and
/// returns all that it said.
fn kill_sometime(child: &mut Child, chance: &mut Chance) -> String {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    if chance.below(4) == 0 {
        std::thread::sleep(Duration::from_micros(chance.below(40_000))); // wait: a kill at any moment
    } else {
        let answers = 1 + chance.index(80);
        while said.lines().filter(|line| line.starts_with("event")).count() < answers {
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "it ended by itself: {said}");
        }
        std::thread::sleep(Duration::from_micros(chance.below(1_000))); // wait: a kill at any moment
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    said.push_str(&String::from_utf8_lossy(&rest));
    let whole = said.rfind('\n').map_or(0, |end| end + 1);
    said.truncate(whole);
    said
}

/// The child's side; as a test of its own it does nothing.
#[test]
#[expect(clippy::disallowed_methods, reason = "the test that kills names the folder this way")]
fn the_writer_that_is_killed() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        write_until_killed(&Place::folder(folder.into()));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn write_until_killed(place: &Place) {
    let mut out = std::io::stdout();
    let log = place.log().await;
    let inbox = place.inbox().await;
    let incarnation = log.identity().incarnation;
    writeln!(out, "up {incarnation}").unwrap();
    let mut chance = Chance(incarnation);
    let mut next = log.reader().last_pos().await.unwrap() + 1;
    loop {
        let count = 1 + chance.below(4);
        let writes = (next..next + count).map(|n| append(goal(chance.below(3).into()), n));
        let writes: Vec<_> = writes.collect();
        let committed = log.commit(batch(writes)).await.unwrap();
        let last = committed.events.last().unwrap().pos;
        writeln!(out, "event {last}").unwrap();
        next += count;
        if chance.below(4) == 0 {
            let put = inbox.put(command(&format!("{incarnation}-{next}"))).await.unwrap();
            writeln!(out, "command {} {}", put.row.pos, put.row.command.id).unwrap();
        }
    }
}
