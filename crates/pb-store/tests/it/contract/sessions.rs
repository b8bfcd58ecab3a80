//! Sessions: rows, what they spent, and a history that does not grow for ever.

use pb_model::SessionId;
use pb_model::goal::{Amount, DayBudget, Next, Used};
use pb_model::session::{
    self, HISTORY_EVENTS_MAX, Heard, Persona, Reply, Session, SessionCommand, SessionEvent, SessionMoment,
    SessionStatus, SessionThought,
};
use pb_store::{Log, LogReader, NewEvent, Row, SessionCost, SessionFilter, SessionPlace, Write};
use pretty_assertions::assert_eq;
use uuid::Uuid;

use crate::support::{Place, batch, everything};

const MODEL: &str = "scripted/scripted";

fn id(n: u128) -> SessionId {
    SessionId::from(Uuid::from_u128(n))
}

fn say(n: u128) -> SessionCommand {
    SessionCommand::Say {
        id: id(n),
        persona: Box::new(Persona::built_in()),
        workspace: None,
        text: "进展如何？".to_owned(),
        by: "ann".to_owned(),
    }
}

fn reserve() -> SessionCommand {
    let next = Next {
        model: MODEL.to_owned(),
        other_model: None,
        amount: Amount { tokens: 100, micro_usd: 50 },
        output_tokens: 20,
        request_hash: String::new(),
        unpriced: false,
        condensing: None,
    };
    SessionCommand::Reserve { epoch: 1, next: Ok(next) }
}

fn answer(n: u32) -> SessionCommand {
    let used = Used { input_tokens: 10, output_tokens: 5, micro_usd: 9, unpriced: false };
    let reply = Reply::Said { text: "很顺利。".to_owned(), asks: false };
    let thought = SessionThought { model: MODEL.to_owned(), used: Some(used), heard: Heard::Answered(reply) };
    SessionCommand::FinishThinking { n, epoch: 1, thought: Box::new(thought) }
}

/// Decides commands one after the other, and commits what comes of them at once, as the scheduler does.
async fn tell(
    log: &Log,
    mut state: Option<Session>,
    commands: impl IntoIterator<Item = SessionCommand>,
    now_ms: u64,
) -> Session {
    let mut writes = Vec::new();
    for command in commands {
        let moment = SessionMoment { now_ms, seed: 3, day: DayBudget::default() };
        let mut appended = Vec::new();
        let events = session::decide(state.as_ref(), command, &moment).unwrap();
        for (n, event) in events.iter().enumerate() {
            state = session::evolve(state, event, now_ms);
            appended.push(NewEvent {
                id: format!("{}-{now_ms}-{}-{n}", event.kind(), writes.len()),
                at_ms: now_ms,
                kind: event.kind().to_owned(),
                body: serde_json::to_string(event).unwrap(),
                data: "{}".to_owned(),
            });
        }
        let row = state.clone().unwrap();
        let session = row.id;
        writes.push(Write::SessionEvents { session, events: appended });
        writes.push(Write::Row(Row::Session(Box::new(row))));
        let is_compacted = events.iter().any(|event| matches!(event, SessionEvent::Compacted { .. }));
        writes.extend(is_compacted.then_some(Write::ForgetSession { session }));
    }
    log.commit(batch(writes)).await.unwrap();
    state.unwrap()
}

/// What the events that are there fold into.
async fn folded(reader: &LogReader) -> Option<Session> {
    let mut state = None;
    for record in everything(reader).await {
        let event: SessionEvent = serde_json::from_str(&record.body).unwrap();
        state = session::evolve(state, &event, record.at_ms);
    }
    state
}

/// I6, and retention: after each commit the row says what the events say that are still there.
pub(super) async fn a_session_reads_back_as_it_was_decided(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    let mut state = None;
    let mut compacted = 0;
    // Three events a round: said, requested, answered. The snapshot is taken at the end of a command.
    for round in 1..=u32::try_from(HISTORY_EVENTS_MAX / 3 + 8).unwrap() {
        let commands = [say(1), reserve(), answer(round)];
        let before = state.as_ref().map_or(0, |session: &Session| session.events);
        let after = tell(&log, state, commands, u64::from(round)).await;
        if after.events < before {
            compacted += 1;
        }
        if round % 100 == 0 || after.events < before {
            assert_eq!(reader.session(id(1)).await.unwrap().as_ref(), Some(&after));
            assert_eq!(folded(&reader).await.as_ref(), Some(&after));
        }
        state = Some(after);
    }
    assert_eq!(compacted, 1);
    let left = everything(&reader).await;
    assert_eq!(left.first().unwrap().kind, "conversation.compacted");
    assert_eq!(left.len() as u64, state.unwrap().events);
    let seqs: Vec<u64> = left.iter().map(|event| event.seq).collect();
    assert!(seqs.is_sorted_by(|a, b| a + 1 == *b), "no gaps from the tail on");
}

pub(super) async fn sessions_are_paged_and_ended_ones_are_left_out(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    for n in 1..=5 {
        tell(&log, None, [say(n)], u64::try_from(n).unwrap()).await;
    }
    let second = reader.session(id(2)).await.unwrap();
    tell(&log, second, [SessionCommand::End { by: "ann".to_owned() }], 9).await;
    let page = async |ended, limit, offset| {
        let (page, total) =
            reader.sessions(SessionFilter { ended, limit, offset, after: None }).await.unwrap();
        let ids: Vec<u128> = page.iter().map(|session| session.id.uuid().as_u128()).collect();
        (ids, total)
    };
    assert_eq!(page(false, 10, 0).await, (vec![5, 4, 3, 1], 4));
    assert_eq!(page(true, 10, 0).await, (vec![2, 5, 4, 3, 1], 5));
    assert_eq!(page(false, 2, 1).await, (vec![4, 3], 4));
    let mut walked = Vec::new();
    let mut after = None;
    while let (page, 4) =
        reader.sessions(SessionFilter { after, limit: 1, ..SessionFilter::default() }).await.unwrap()
        && let [session] = page.as_slice()
    {
        walked.push(session.id.uuid().as_u128());
        after = Some(SessionPlace { updated_at_ms: session.updated_at_ms, id: session.id });
    }
    assert_eq!(walked, [5, 4, 3, 1]);
    let live: Vec<SessionId> =
        reader.live_sessions().await.unwrap().iter().map(|session| session.id).collect();
    assert_eq!(live, [1, 3, 4, 5].map(id), "quiet longest first");
    let ended = reader.session(id(2)).await.unwrap().unwrap();
    assert_eq!(ended.status, SessionStatus::Ended);
    assert_eq!(reader.session(id(6)).await.unwrap(), None);
}

pub(super) async fn costs_are_told_of_sessions_that_had_some(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    tell(&log, None, [say(1)], 1).await;
    let paid = tell(&log, None, [say(2), reserve(), answer(1)], 2).await;
    assert_eq!(paid.spending.lines.len(), 1);
    let costs = reader.session_costs().await.unwrap();
    assert_eq!(costs, [SessionCost { session: id(2), lines: paid.spending.lines }]);
}
