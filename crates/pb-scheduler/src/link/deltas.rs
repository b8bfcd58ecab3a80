//! Telling what a model says or a tool prints, while it does: pieces are put together here, so that a
//! call sends at most one frame each 50 ms or 2 KiB. Nothing here waits; what the link does not take
//! is dropped and leaves a gap in the numbers of the pieces.

use std::time::{Duration, Instant};

use pb_model::ItemId;
use pb_protocol::ipc::{DeltaKind, SchedulerDelta};
use pb_protocol::link_text::PieceLines;

use super::Link;

/// How long pieces are put together.
const FLUSH_EVERY: Duration = Duration::from_millis(50);
/// Longest piece, in bytes.
const CHUNK_BYTES_MAX: usize = 2 * 1024;
/// Most pieces of one call within [`FLUSH_EVERY`]: 64 KiB. A tool can print faster than that for long,
/// and everything that is sent is read by the gateway, though nobody may want it.
const CHUNKS_MAX: u32 = 32;

/// The call of a model or tool that is told about.
#[derive(Debug, Clone)]
pub(crate) struct CallIds {
    /// Of the goal, or of the session whose model it is.
    pub(crate) goal: String,
    /// Absent for a plan in the making.
    pub(crate) item: Option<ItemId>,
    /// Of the run; of a session, its own once more.
    pub(crate) run: String,
    /// Its own id, unique in the run.
    pub(crate) request: String,
}

/// What a model says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Saying {
    /// Its answer.
    Text,
    /// Its reasoning.
    Thought,
}

/// One call of a model. Dropped without an end, it tells that the call was stopped.
#[derive(Debug)]
pub(crate) struct DeltaStream {
    pieces: Pieces,
    has_ended: bool,
}

/// One call of a tool. What is held is told when it is dropped.
#[derive(Debug)]
pub(crate) struct OutputStream(Pieces);

impl DeltaStream {
    /// Tells that `model` is asked.
    pub(crate) fn start(link: Link, call: CallIds, model: &str) -> Self {
        let pieces = Pieces::new(link, call, None);
        let start = SchedulerDelta { model: Some(model.to_owned()), ..pieces.delta(DeltaKind::Start) };
        pieces.link.delta(start);
        Self { pieces, has_ended: false }
    }

    /// Takes what the model says; sends it now or with what follows.
    pub(crate) fn push(&mut self, saying: Saying, text: &str) {
        self.push_at(saying, text, Instant::now());
    }

    fn push_at(&mut self, saying: Saying, text: &str, now: Instant) {
        let kind = match saying {
            Saying::Text => DeltaKind::Text,
            Saying::Thought => DeltaKind::Thought,
        };
        self.pieces.push(kind, text, now);
    }

    /// Tells that the answer is whole, with the tokens of the call if they are known.
    pub(crate) fn end(mut self, tokens_used: Option<u64>, finish_reason: &str) {
        let finish_reason = Some(finish_reason.to_owned());
        self.close(DeltaKind::End, |end| SchedulerDelta { tokens_used, finish_reason, ..end });
    }

    /// Tells why the answer will not become whole; of a long `error`, its first 2 KiB.
    pub(crate) fn fail(mut self, error: &str) {
        self.close_with_error(error);
    }

    fn close_with_error(&mut self, error: &str) {
        let error = error.split_at(error.floor_char_boundary(CHUNK_BYTES_MAX)).0.to_owned();
        self.close(DeltaKind::Error, |end| SchedulerDelta { error: Some(error), ..end });
    }

    fn close(&mut self, kind: DeltaKind, tell: impl FnOnce(SchedulerDelta) -> SchedulerDelta) {
        self.has_ended = true;
        self.pieces.flush(Instant::now());
        self.pieces.link.delta(tell(self.pieces.delta(kind)));
    }
}

impl Drop for DeltaStream {
    fn drop(&mut self) {
        if !self.has_ended {
            self.close_with_error("the call was stopped");
        }
    }
}

impl OutputStream {
    /// The output of `tool`, of which nothing is told yet.
    pub(crate) fn new(link: Link, call: CallIds, tool: &str) -> Self {
        Self(Pieces::new(link, call, Some(tool.to_owned())))
    }

    /// Takes what the tool prints; sends it now or with what follows.
    pub(crate) fn push(&mut self, text: &str) {
        self.0.push(DeltaKind::ToolOutput, text, Instant::now());
    }
}

impl Drop for OutputStream {
    fn drop(&mut self) {
        self.0.flush(Instant::now());
    }
}

/// What of a call is not sent yet.
#[derive(Debug)]
struct Pieces {
    link: Link,
    call: CallIds,
    lines: PieceLines,
    /// What `held` is.
    kind: DeltaKind,
    /// At most [`CHUNK_BYTES_MAX`] bytes between calls.
    held: String,
    /// How many pieces were made.
    index: u64,
    /// When the current [`FLUSH_EVERY`] began: with a piece. `None` before the first one, which is sent
    /// at once.
    since: Option<Instant>,
    /// How many pieces were made in it.
    made: u32,
}

impl Pieces {
    fn new(link: Link, call: CallIds, tool: Option<String>) -> Self {
        let (kind, held) = (DeltaKind::Text, String::new());
        let lines = PieceLines::new(&SchedulerDelta { tool, ..delta(&call, kind, 0) });
        Self { link, call, lines, kind, held, index: 0, since: None, made: 0 }
    }

    fn push(&mut self, kind: DeltaKind, text: &str, now: Instant) {
        let is_due = self.is_due(now);
        if kind != self.kind {
            self.flush(now);
            self.kind = kind;
        }
        let mut text = text;
        while self.held.len() + text.len() >= CHUNK_BYTES_MAX {
            let room = CHUNK_BYTES_MAX - self.held.len();
            let (fits, rest) = text.split_at(text.floor_char_boundary(room));
            self.held.push_str(fits);
            self.flush(now);
            text = rest;
        }
        self.held.push_str(text);
        if is_due {
            self.flush(now);
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.since.is_none_or(|since| now.duration_since(since) >= FLUSH_EVERY)
    }

    /// Makes a piece of what is held, and sends it unless there were too many.
    fn flush(&mut self, now: Instant) {
        if self.held.is_empty() {
            return;
        }
        if self.is_due(now) {
            self.since = Some(now);
            self.made = 0;
        }
        if self.made < CHUNKS_MAX {
            self.link.piece(&self.lines, (self.kind, &self.held, self.index));
        } else {
            self.link.delta_dropped();
        }
        self.held.clear();
        self.made = self.made.saturating_add(1);
        self.index += 1;
    }

    /// A delta that is no piece.
    fn delta(&self, kind: DeltaKind) -> SchedulerDelta {
        delta(&self.call, kind, self.index)
    }
}

/// A delta with what is in every one.
fn delta(call: &CallIds, kind: DeltaKind, index: u64) -> SchedulerDelta {
    SchedulerDelta {
        goal_id: call.goal.clone(),
        work_item_id: call.item.map(|item| item.to_string()),
        run_id: call.run.clone(),
        request_id: call.request.clone(),
        kind,
        chunk: None,
        index,
        model: None,
        tokens_used: None,
        finish_reason: None,
        tool: None,
        error: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::LinkTask;
    use super::super::outbox::Queue;
    use super::super::tests::loose;
    use pb_protocol::ipc::Frame;

    use super::*;

    /// A call, and the other end of its link.
    fn call() -> (Link, LinkTask, CallIds) {
        let (link, task) = loose();
        let ids = CallIds {
            goal: "goal_00000000000000000000000000000001".parse().unwrap(),
            item: "item_00000000000000000000000000000002".parse().ok(),
            run: "run_00000000000000000000000000000003".parse().unwrap(),
            request: "request".to_owned(),
        };
        (link, task, ids)
    }

    /// What was sent since it was last asked, as `kind index: chunk`.
    fn sent(task: &LinkTask) -> Vec<String> {
        let told = |delta: SchedulerDelta| {
            let what = [delta.chunk, delta.model, delta.finish_reason, delta.error];
            let what: Vec<String> = what.into_iter().flatten().collect();
            format!("{:?} {}: {}", delta.kind, delta.index, what.join(" "))
        };
        deltas(task).into_iter().map(told).collect()
    }

    fn deltas(task: &LinkTask) -> Vec<SchedulerDelta> {
        let delta = |frame| match frame {
            Frame::SchedulerDelta(delta) => *delta,
            other => panic!("{other:?}"),
        };
        task.waiting().into_iter().map(delta).collect()
    }

    #[test]
    fn the_first_words_go_at_once_and_the_next_ones_together() {
        let (link, task, ids) = call();
        let began = Instant::now();
        let mut stream = DeltaStream::start(link, ids, "m");
        assert_eq!(sent(&task), ["Start 0: m"]);
        let mut push = |at_ms, text| stream.push_at(Saying::Text, text, began + Duration::from_millis(at_ms));
        push(0, "");
        push(30, "你");
        assert_eq!(sent(&task), ["Text 0: 你"]);
        for at_ms in [31, 50, 79] {
            push(at_ms, "好");
            assert!(sent(&task).is_empty(), "{at_ms}");
        }
        push(80, "!");
        assert_eq!(sent(&task), ["Text 1: 好好好!"]);
        push(81, " bye");
        stream.end(Some(7), "stop");
        assert_eq!(sent(&task), ["Text 2:  bye", "End 3: stop"]);
    }

    #[test]
    fn thoughts_and_words_stay_apart_and_in_order() {
        let (link, task, ids) = call();
        let now = Instant::now();
        let mut stream = DeltaStream::start(link, ids, "m");
        for (saying, text) in
            [(Saying::Thought, "a"), (Saying::Thought, "b"), (Saying::Thought, "c"), (Saying::Text, "d")]
        {
            stream.push_at(saying, text, now);
        }
        stream.fail("broke off");
        let expected = ["Start 0: m", "Thought 0: a", "Thought 1: bc", "Text 2: d", "Error 3: broke off"];
        assert_eq!(sent(&task), expected);
    }

    #[test]
    fn long_pieces_are_cut_between_characters() {
        let (link, task, ids) = call();
        let now = Instant::now();
        let text = format!("x{}", "春".repeat(3000));
        let mut stream = DeltaStream::start(link, ids, "m");
        stream.push_at(Saying::Text, "x", now);
        for piece in text.split_inclusive("春春春春春春春") {
            stream.push_at(Saying::Text, piece, now);
        }
        stream.push_at(Saying::Text, &text, now);
        stream.end(None, "stop");
        let chunks: Vec<String> = deltas(&task).into_iter().filter_map(|delta| delta.chunk).collect();
        assert_eq!(chunks.concat(), format!("x{text}{text}"));
        assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
        let least = text.len() * 2 / CHUNK_BYTES_MAX;
        assert!(chunks.len() <= least + 3, "{} for {least}", chunks.len());
    }

    #[test]
    fn what_is_printed_too_fast_is_dropped_and_counted() {
        let (link, task, ids) = call();
        let began = Instant::now();
        let whole = "x".repeat(CHUNK_BYTES_MAX * 100);
        let mut stream = DeltaStream::start(link, ids, "m");
        stream.push_at(Saying::Text, &whole, began);
        stream.push_at(Saying::Text, "later", began + FLUSH_EVERY);
        stream.end(None, "stop");
        let sent = sent(&task);
        assert_eq!(sent.len(), 1 + CHUNKS_MAX as usize + 2);
        assert_eq!(sent.split_at(sent.len() - 2).1, ["Text 100: later", "End 101: stop"]);
        assert_eq!(task.dropped.load(std::sync::atomic::Ordering::Relaxed), u64::from(100 - CHUNKS_MAX));
    }

    #[test]
    fn what_the_link_does_not_take_is_dropped_and_counted() {
        let (link, task, ids) = call();
        let model = "m".repeat(Queue::Deltas.bytes_max() / 4);
        let _kept: Vec<DeltaStream> =
            (0..9).map(|_| DeltaStream::start(link.clone(), ids.clone(), &model)).collect();
        assert_eq!(deltas(&task).len(), 4);
        assert_eq!(task.dropped.load(std::sync::atomic::Ordering::Relaxed), 5);
    }

    #[test]
    fn a_call_that_is_let_go_of_tells_so_and_an_output_tells_the_rest() {
        let (link, task, ids) = call();
        drop(DeltaStream::start(link.clone(), ids.clone(), "m"));
        assert_eq!(sent(&task), ["Start 0: m", "Error 0: the call was stopped"]);
        let mut output = OutputStream::new(link, ids, "run_command");
        output.push("一\n");
        output.push("二\n");
        drop(output);
        assert_eq!(sent(&task), ["ToolOutput 0: 一\n", "ToolOutput 1: 二\n"]);
    }
}
