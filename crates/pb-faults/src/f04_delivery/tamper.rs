//! The bell between scheduler and gateway, tampered with: what is pushed over the link for a commit.

use pb_protocol::event::link_type;
use pb_protocol::ipc::{Frame, SchedulerEvent};
use pb_store::EventRecord;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::value::RawValue;

/// Frames that are held back at most; older ones are forgotten.
const HELD_MAX: usize = 512;
/// A position that no log here reaches.
const FAR: u64 = 1 << 40;

/// What is done to the bell of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Nothing,
    Silence,
    Double,
    Delay,
    Shuffle,
    Forge,
    Cut,
}

/// Most commits in a row to which the same is done.
const SPELL_MAX: u32 = 12;

/// The tampering layer.
#[derive(Debug)]
pub(super) struct Tamper {
    rng: StdRng,
    generation: u64,
    deed: Deed,
    /// For how many more commits.
    left: u32,
    held: Vec<Frame>,
}

/// What goes over the link.
#[derive(Debug, Default)]
pub(super) struct Rung {
    pub(super) frames: Vec<Frame>,
    /// The last of them is cut in the middle, and the connection with it.
    pub(super) is_cut: bool,
}

impl Tamper {
    pub(super) fn new(rng: StdRng, generation: u64) -> Self {
        Self { rng, generation, deed: Deed::Nothing, left: 0, held: Vec::new() }
    }

    /// What is rung for these events.
    pub(super) fn ring(&mut self, events: &[EventRecord]) -> Rung {
        self.choose();
        let mut frames: Vec<Frame> = events.iter().map(|event| self.frame(event)).collect();
        match self.deed {
            Deed::Nothing => frames.append(&mut self.held),
            Deed::Silence => frames.clear(),
            Deed::Double => {
                let again = frames.clone();
                frames.extend(again);
            }
            Deed::Delay => {
                self.held.append(&mut frames);
                let forgotten = self.held.len().saturating_sub(HELD_MAX);
                self.held.drain(..forgotten);
            }
            Deed::Shuffle => frames.shuffle(&mut self.rng),
            Deed::Forge => {
                for frame in &mut frames {
                    self.forge(frame);
                }
            }
            Deed::Cut => {
                let keep = self.rng.random_range(1..=frames.len().max(1));
                frames.truncate(keep);
            }
        }
        let is_cut = self.deed == Deed::Cut;
        if is_cut {
            self.left = 0; // The next connection is left alone for once.
        }
        Rung { frames, is_cut }
    }

    /// What a scheduler rings.
    pub(super) fn ring_honestly(&self, events: &[EventRecord]) -> Rung {
        Rung { frames: events.iter().map(|event| self.frame(event)).collect(), is_cut: false }
    }

    fn choose(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        self.left = self.rng.random_range(0..SPELL_MAX);
        self.deed = match self.rng.random_range(0..20) {
            0..6 => Deed::Nothing,
            6..9 => Deed::Silence,
            9..11 => Deed::Double,
            11..14 => Deed::Delay,
            14..16 => Deed::Shuffle,
            16..19 => Deed::Forge,
            _ => Deed::Cut,
        };
    }

    fn frame(&self, event: &EventRecord) -> Frame {
        Frame::SchedulerEvent(Box::new(SchedulerEvent {
            r#type: link_type(&event.kind),
            timestamp: event.at_ms,
            goal_id: Some(event.goal.clone()),
            work_item_id: None,
            run_id: None,
            data: RawValue::from_string(event.data.clone()).ok(),
            pos: Some(event.pos),
            generation: Some(self.generation),
            seq: Some(event.seq),
            id: Some(event.id.clone()),
            kind: Some(event.kind.clone()),
        }))
    }

    /// Makes a frame lie, about where it stands or about what it says.
    fn forge(&mut self, frame: &mut Frame) {
        let Frame::SchedulerEvent(event) = frame else { return };
        match self.rng.random_range(0..7) {
            0 => event.pos = Some(FAR),
            1 => event.pos = event.pos.map(|pos| pos + 1),
            2 => event.pos = Some(self.rng.random_range(0..FAR)),
            3 => event.generation = event.generation.map(|generation| generation + 1),
            4 => event.pos = None,
            5 => event.data = RawValue::from_string(r#"{"goalId":"goal_forged","n":1}"#.to_owned()).ok(),
            _ => event.seq = event.seq.map(|seq| seq + 7),
        }
    }
}
