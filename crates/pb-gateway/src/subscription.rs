//! One subscription: a position in the log, and what of it is shown.
//!
//! Nothing is queued for a subscription. It pulls a page when it has none, and lets go of the page,
//! keeping only its position, when its client does not read ([`Subscription::go_back`]).

use std::ops::Range;

use pb_model::{GoalId, SessionId};
use pb_protocol::RpcError;
use pb_protocol::domain::Goal;
use pb_protocol::frame::{EventFrame, ServerFrame};
use pb_protocol::methods::events::{Snapshot, SubscribeParams, SubscribeResult};
use pb_store::{Cursor, LogIdentity, Rebase};
use serde_json::value::RawValue;

use crate::deltas::Delta;
use crate::hub::Hub;
use crate::methods::goal;
use crate::methods::goal_events::Named;
use crate::page::{Dress, EventSpan, Feed, Follower};

/// After how many hidden events in a row the client is told where it is.
const HIDDEN_EVENTS_MAX: u64 = 1000;
/// Most names in one `kinds` filter.
const KINDS_MAX: usize = 64;
/// Most goals in a snapshot.
const SNAPSHOT_GOALS_MAX: usize = 1000;
/// Most bytes of a snapshot: what every client takes, with room for the rest of the answer.
const SNAPSHOT_BYTES_MAX: usize = 15 * 1024 * 1024;
/// The word for the beginning of the log.
const START: &str = "start";

/// A position in the log, and what of it is shown.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// `None` for the one that a session has before it asks for any.
    pub(crate) id: Option<String>,
    /// Whether its client asked for deltas.
    pub(crate) wants_deltas: bool,
    /// For whom its frames are.
    pub(crate) dress: Dress,
    filter: Filter,
    follower: Follower,
    page: Option<Held>,
    /// The position of the last event that left the page.
    passed: u64,
    /// How many events were hidden since the client was last told where it is.
    hidden: u64,
}

/// A page, and which of its events is the next.
#[derive(Debug)]
struct Held {
    span: EventSpan,
    next: usize,
}

/// What a subscription has for its client.
#[derive(Debug)]
pub(crate) enum Shown {
    /// These events of a page.
    Events(EventSpan, Range<usize>),
    /// Where it is.
    Cursor(ServerFrame),
}

/// Which events are shown.
#[derive(Debug, Default)]
struct Filter {
    /// A goal, or a session.
    subject: Option<String>,
    kinds: Option<Vec<String>>,
    /// The goals that an old client named with `goal.subscribe`.
    named: Option<Named>,
}

impl Filter {
    fn shows_all(&self) -> bool {
        self.subject.is_none() && self.kinds.is_none() && !self.is_of_named_goals()
    }

    fn is_of_named_goals(&self) -> bool {
        self.named.as_ref().is_some_and(Named::is_any)
    }

    fn shows(&self, subject: &str, kind: &str) -> bool {
        let of_subject = self.subject.as_ref().is_none_or(|asked| asked == subject);
        let of_kind = self.kinds.as_ref().is_none_or(|kinds| {
            kinds.iter().any(|asked| match asked.strip_suffix('*') {
                Some(start) => kind.starts_with(start),
                None => asked == kind,
            })
        });
        of_subject && of_kind && self.named.as_ref().is_none_or(|named| named.shows(subject))
    }
}

impl Subscription {
    /// Every event from now on, or those of goals that are named, under no name: what a session gets that never asked.
    pub(crate) fn implicit(feed: &Feed, named: Named) -> Self {
        Self::at(feed, feed.last_pos(), Filter { named: Some(named), ..Filter::default() })
    }

    /// Whether it shows only goals that its client named.
    pub(crate) fn is_of_named_goals(&self) -> bool {
        self.filter.is_of_named_goals()
    }

    /// The same in a log that took the place of its own: from its end on.
    pub(crate) fn begun_anew(self, feed: &Feed) -> Self {
        Self::at(feed, feed.last_pos(), self.filter)
    }

    fn at(feed: &Feed, pos: u64, filter: Filter) -> Self {
        Self {
            id: None,
            wants_deltas: false,
            dress: Dress::Bare,
            filter,
            follower: feed.follow(pos),
            page: None,
            passed: pos,
            hidden: 0,
        }
    }

    /// Every event after `pos`, under a name.
    #[cfg(test)]
    pub(crate) fn named(feed: &Feed, pos: u64, id: &str) -> Self {
        let dress = Dress::of(Some(id));
        Self { id: Some(id.to_owned()), dress, ..Self::at(feed, pos, Filter::default()) }
    }

    /// Starts where `params` ask, and says where that is.
    pub(crate) async fn open(
        hub: &Hub,
        params: SubscribeParams,
        id: String,
    ) -> Result<(Self, SubscribeResult), RpcError> {
        let goal = match &params.goal_id {
            Some(text) => Some(goal::resolve(hub, text).await?),
            None => None,
        };
        let kinds = params.kinds;
        if kinds.as_ref().is_some_and(|kinds| kinds.len() > KINDS_MAX) {
            return Err(RpcError::invalid_params(format!("kinds: at most {KINDS_MAX} names are allowed")));
        }
        let session = match &params.session_id {
            Some(_) if goal.is_some() => {
                return Err(RpcError::invalid_params("goalId, sessionId: give one of them"));
            }
            Some(id) => Some(id.parse::<SessionId>().map_err(RpcError::invalid_params)?.to_string()),
            None => None,
        };
        let filter = Filter { subject: goal.map(|goal| goal.to_string()).or(session), kinds, named: None };
        let start = start(hub, params.after.as_deref()).await?;
        // The position is taken before the snapshot is read: what happens in between is told twice,
        // in the snapshot and as an event, and never not at all.
        let mut subscription = Self::at(&hub.feed, start.pos, filter);
        subscription.dress = Dress::of(Some(&id));
        subscription.id = Some(id.clone());
        subscription.wants_deltas = params.deltas;
        let snapshot = if start.snapshot { Some(snapshot(hub, goal).await?) } else { None };
        let result = SubscribeResult {
            subscription_id: id,
            cursor: subscription.cursor(),
            end: subscription.end(hub.feed.last_pos()),
            snapshot,
            rebase_required: start.rebase_required,
        };
        Ok((subscription, result))
    }

    /// Where the client is once it has everything that left the page.
    fn cursor(&self) -> String {
        match self.follower.identity() {
            Some(log) => Cursor::at(log, self.passed),
            None => unknown_log(),
        }
        .to_string()
    }

    /// The cursor of the end of the log, if that is further on.
    fn end(&self, pos: u64) -> Option<String> {
        let log = self.follower.identity().filter(|_| pos > self.passed)?;
        Some(Cursor::at(log, pos).to_string())
    }

    /// Whether a page is held.
    pub(crate) fn has_page(&self) -> bool {
        self.page.is_some()
    }

    /// Whether there is something to read for it, where the log ends at `end`.
    pub(crate) fn is_behind(&self, end: u64) -> bool {
        self.follower.pos() < end
    }

    /// Whether the delta is shown. It has no place in the log, so it moves nothing here.
    pub(crate) fn shows(&self, delta: &Delta) -> bool {
        (self.wants_deltas || delta.is_for_all) && self.filter.shows(&delta.goal, &delta.kind)
    }

    /// Waits for the next page, if none is held. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The log was replaced: the subscription is over.
    pub(crate) async fn fill(&mut self) -> Result<(), Rebase> {
        if self.page.is_none() {
            let span = self.follower.next().await?;
            self.hold(span);
        }
        Ok(())
    }

    /// Takes the next page, if it is in memory and none is held. A log that was replaced is told by
    /// [`Subscription::fill`].
    pub(crate) fn fill_from_memory(&mut self) {
        if self.page.is_none()
            && let Ok(Some(span)) = self.follower.next_in_memory()
        {
            self.hold(span);
        }
    }

    fn hold(&mut self, span: EventSpan) {
        // It may begin with events that were sent before.
        let next = span.page().events().partition_point(|event| event.pos <= self.passed);
        self.page = Some(Held { span, next });
    }

    /// The next of what the page has to show.
    pub(crate) fn pop(&mut self) -> Option<Shown> {
        let held = self.page.as_mut()?;
        let events = held.span.page().events();
        if self.filter.shows_all() {
            let range = held.next..events.len();
            self.passed = held.span.last();
            let span = self.page.take()?.span;
            return (!range.is_empty()).then_some(Shown::Events(span, range));
        }
        let mut shown = held.next..held.next;
        for event in events.get(held.next..).unwrap_or_default() {
            if self.filter.shows(&event.goal, &event.kind) {
                shown.end += 1;
            } else if shown.is_empty() {
                self.hidden += 1;
                shown = shown.end + 1..shown.end + 1;
            } else {
                break;
            }
            self.passed = event.pos;
            if self.hidden >= HIDDEN_EVENTS_MAX {
                break;
            }
        }
        held.next = shown.end;
        let span = (!shown.is_empty()).then(|| EventSpan::clone(&held.span));
        if held.next >= events.len() {
            self.page = None;
        }
        if let Some(span) = span {
            self.hidden = 0;
            return Some(Shown::Events(span, shown));
        }
        if self.hidden >= HIDDEN_EVENTS_MAX { self.whereabouts().map(Shown::Cursor) } else { None }
    }

    /// Goes back to a position: what was taken after it did not reach the client, and is read again.
    pub(crate) fn go_back(&mut self, pos: u64) {
        self.page = None;
        self.passed = self.passed.min(pos);
        self.follower.rewind(self.passed);
    }

    /// Lets go of what is held for a client that does not read. It is read from the log again.
    pub(crate) fn release(&mut self) {
        self.go_back(self.passed);
    }

    /// Where the client is, if events were hidden since it was last told.
    pub(crate) fn whereabouts(&mut self) -> Option<ServerFrame> {
        (std::mem::take(&mut self.hidden) > 0)
            .then(|| ServerFrame::Cursor { cursor: self.cursor(), subscription_id: self.id.clone() })
    }

    /// The last frame of a subscription whose log was replaced.
    pub(crate) fn farewell(&self) -> ServerFrame {
        ServerFrame::Event(EventFrame {
            subscription_id: self.id.clone(),
            ..EventFrame::outside_log("rebase_required", empty())
        })
    }
}

/// Nothing to tell.
fn empty() -> Box<RawValue> {
    RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The cursor of a reader that saw no log yet. It is served from the start.
fn unknown_log() -> Cursor {
    Cursor { log_id: String::new(), generation: 0, pos: 0 }
}

/// Where a subscription starts.
struct Start {
    pos: u64,
    snapshot: bool,
    rebase_required: bool,
}

async fn start(hub: &Hub, after: Option<&str>) -> Result<Start, RpcError> {
    let from = |pos| Start { pos, snapshot: false, rebase_required: false };
    let now = |rebase_required| Start { pos: hub.feed.last_pos(), snapshot: true, rebase_required };
    // The end that is known may be a second old, and that of a log which was replaced is being read.
    hub.feed.look().await.map_err(RpcError::internal)?;
    let cursor: Cursor = match after {
        None => return Ok(now(false)),
        Some(START) => return Ok(from(0)),
        Some(text) => text.parse().map_err(|_| {
            RpcError::invalid_params("after: not a cursor")
                .hint("give a cursor that the gateway sent, \"start\", or leave it out")
        })?,
    };
    if cursor == unknown_log() {
        return Ok(from(0));
    }
    let served = |log: LogIdentity| cursor.is_of(&log) && cursor.pos <= hub.feed.last_pos();
    Ok(if hub.feed.identity().is_some_and(served) { from(cursor.pos) } else { now(true) })
}

async fn snapshot(hub: &Hub, only: Option<GoalId>) -> Result<Snapshot, RpcError> {
    let goals = match only {
        Some(id) => vec![goal::find(hub, id).await?],
        None => goal::page(hub, goal::Asked::first(SNAPSHOT_GOALS_MAX)).await?.goals,
    };
    let mut bytes = 0;
    let fits = |goal: &Goal| {
        bytes += serde_json::to_string(goal).map_or(0, |text| text.len());
        bytes <= SNAPSHOT_BYTES_MAX
    };
    Ok(Snapshot { goals: goals.into_iter().take_while(fits).collect() })
}
