//! What a server remembers: its script, what was asked, and who is held.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::reply::Reply;
use super::request::{Request, Wire};
use super::script::Script;
use super::turn::Turn;

/// Requests that are kept; older ones are forgotten.
const CAPTURED_MAX: usize = 10_000;
/// Bytes of requests that are kept; older ones are forgotten.
const CAPTURED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Arrivals that wait for a listener; more are lost.
const ARRIVALS_WAITING_MAX: usize = 10_000;
/// States of conversations whose requests are counted; beyond, counting starts afresh.
const STATES_MAX: usize = 100_000;

/// A request for an answer, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Captured {
    /// Its format.
    pub wire: Wire,
    /// Its path and query.
    pub path: String,
    /// The header `authorization`, `x-api-key` or `x-goog-api-key`, as sent.
    pub authorization: Option<String>,
    /// Its body.
    pub body: Value,
    /// The number of assistant messages in it, which is the number of its turn.
    pub turn: usize,
    /// The conversation of the script that it belongs to, from 0; none if none fits.
    pub conversation: Option<usize>,
}

/// That a request came, for those who measure.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// When all of it had come.
    pub at: Instant,
    /// As in [`Captured`].
    pub turn: usize,
    /// As in [`Captured`].
    pub conversation: Option<usize>,
    /// Bytes of its body.
    pub body_bytes: usize,
}

/// What comes with a request.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) path: String,
    pub(super) authorization: Option<String>,
    pub(super) body_bytes: usize,
    pub(super) at: Instant,
}

/// Shared by the server's connections and its owner.
#[derive(Debug)]
pub(super) struct Shared {
    memory: Mutex<Memory>,
    changed: Condvar,
}

#[derive(Debug)]
struct Memory {
    script: Script,
    /// Requests so far, by conversation, turn and messages.
    asked: HashMap<(usize, usize, u64), usize>,
    captured: VecDeque<(Captured, usize)>,
    captured_bytes: usize,
    /// Tokens of the replies that were given, as they report them.
    counted_tokens: u64,
    /// Requests since the start, also forgotten ones.
    seen: usize,
    holds: BTreeMap<String, Hold>,
    listener: Option<mpsc::SyncSender<Arrival>>,
}

#[derive(Debug)]
struct Hold {
    waiting: usize,
    open: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(script: Script) -> Self {
        let memory = Memory {
            script,
            asked: HashMap::new(),
            captured: VecDeque::new(),
            captured_bytes: 0,
            counted_tokens: 0,
            seen: 0,
            holds: BTreeMap::new(),
            listener: None,
        };
        Self { memory: Mutex::new(memory), changed: Condvar::new() }
    }

    pub(super) fn model(&self) -> String {
        self.memory().script.model.clone()
    }

    pub(super) fn set_script(&self, script: Script) {
        let mut memory = self.memory();
        memory.script = script;
        memory.asked.clear();
    }

    /// Notes the request and finds its answer; without one, the reason.
    pub(super) fn next(&self, request: &Request, envelope: Envelope) -> Result<Turn, String> {
        let mut memory = self.memory();
        let conversation = memory.conversation(request);
        let turn = request.assistant_messages();
        let bytes = envelope.body_bytes;
        memory.capture(request, envelope, turn, conversation);
        self.changed.notify_all();
        let conversation =
            conversation.ok_or_else(|| "no conversation of the script fits this request".to_owned())?;
        let reply = memory.reply(conversation, turn, request.state())?;
        memory.counted_tokens += reply.reported_tokens();
        Ok(Turn::new(turn, request.model.clone(), reply, bytes))
    }

    /// Waits until the name is released.
    pub(super) async fn hold(self: &Arc<Self>, name: &str) {
        let mut open = {
            let mut memory = self.memory();
            let hold = memory.hold(name);
            hold.waiting += 1;
            hold.open.subscribe()
        };
        self.changed.notify_all();
        let _held = Held { shared: self, name };
        let _ = open.wait_for(|open| *open).await; // The sender lives as long as we do.
    }

    pub(super) fn release(&self, name: &str) {
        self.memory().hold(name).open.send_replace(true);
    }

    pub(super) fn captured(&self) -> Vec<Captured> {
        self.memory().captured.iter().map(|(captured, _)| captured.clone()).collect()
    }

    pub(super) fn counted_tokens(&self) -> u64 {
        self.memory().counted_tokens
    }

    pub(super) fn arrivals(&self) -> mpsc::Receiver<Arrival> {
        let (sender, receiver) = mpsc::sync_channel(ARRIVALS_WAITING_MAX);
        self.memory().listener = Some(sender);
        receiver
    }

    /// Whether so many requests came in time.
    pub(super) fn wait_for(&self, requests: usize, timeout: Duration) -> bool {
        self.wait(timeout, |memory| memory.seen >= requests)
    }

    /// Whether a request was held by this name in time.
    pub(super) fn wait_until_held(&self, name: &str, timeout: Duration) -> bool {
        self.wait(timeout, |memory| memory.holds.get(name).is_some_and(|hold| hold.waiting > 0))
    }

    fn wait(&self, timeout: Duration, done: impl Fn(&Memory) -> bool) -> bool {
        let deadline = Instant::now() + timeout;
        let mut memory = self.memory();
        while !done(&memory) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return false;
            };
            memory = self.changed.wait_timeout(memory, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// The first conversation that the request belongs to.
    fn conversation(&self, request: &Request) -> Option<usize> {
        self.script.conversations.iter().position(|conversation| {
            let when = &conversation.when;
            when.tool.as_ref().is_none_or(|tool| request.offers(tool))
                && when.contains.as_ref().is_none_or(|text| request.contains(text))
        })
    }

    /// The next reply to a state of a conversation.
    fn reply(&mut self, conversation: usize, turn: usize, state: u64) -> Result<Reply, String> {
        let found = self.script.conversations.get(conversation);
        let replies = found.and_then(|found| {
            let last = || found.turns.last().filter(|_| found.repeat_last);
            found.turns.get(turn).or_else(last)
        });
        let replies = replies
            .ok_or_else(|| format!("the script is over: conversation {conversation} has no turn {turn}"))?;
        if self.asked.len() >= STATES_MAX {
            self.asked.clear();
        }
        let asked = self.asked.entry((conversation, turn, state)).or_default();
        let reply = replies.get(*asked).or_else(|| replies.last());
        *asked += 1;
        reply.cloned().ok_or_else(|| format!("turn {turn} of conversation {conversation} has no reply"))
    }

    fn capture(&mut self, request: &Request, envelope: Envelope, turn: usize, conversation: Option<usize>) {
        if let Some(listener) = &self.listener {
            let Envelope { at, body_bytes, .. } = envelope;
            // A line less in a log is better than an answer that waits for its reader.
            let _ = listener.try_send(Arrival { at, turn, conversation, body_bytes });
        }
        let captured = Captured {
            wire: request.wire,
            path: envelope.path,
            authorization: envelope.authorization,
            body: request.body.clone(),
            turn,
            conversation,
        };
        self.seen += 1;
        self.captured_bytes += envelope.body_bytes;
        self.captured.push_back((captured, envelope.body_bytes));
        while self.captured.len() > CAPTURED_MAX || self.captured_bytes > CAPTURED_BYTES_MAX {
            let Some((_, bytes)) = self.captured.pop_front() else {
                return;
            };
            self.captured_bytes -= bytes;
        }
    }

    fn hold(&mut self, name: &str) -> &mut Hold {
        self.holds
            .entry(name.to_owned())
            .or_insert_with(|| Hold { waiting: 0, open: watch::Sender::new(false) })
    }
}

/// A request that is held. Its client may leave.
struct Held<'a> {
    shared: &'a Shared,
    name: &'a str,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.shared.memory().hold(self.name).waiting -= 1;
        self.shared.changed.notify_all();
    }
}
