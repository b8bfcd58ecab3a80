//! Schedules: rows, and a history that does not grow for ever.

use pb_model::ScheduleId;
use pb_model::schedule::{
    self, Ending, HISTORY_EVENTS_MAX, Missed, Schedule, ScheduleCommand, ScheduleEvent, ScheduleSpec,
    ScheduleStatus, Timing, Zones,
};
use pb_store::{Log, LogReader, NewEvent, Row, ScheduleFilter, Write};
use pretty_assertions::assert_eq;
use uuid::Uuid;

use crate::support::{Place, batch, everything};

const HOUR: u64 = 60 * 60 * 1000;
const ZONES: Zones = Zones { get: |_| None, names: Vec::new };

fn id(n: u128) -> ScheduleId {
    ScheduleId::from(Uuid::from_u128(n))
}

fn spec() -> ScheduleSpec {
    let goal = serde_json::json!({"title": "每小时汇报", "description": "写一份小时报"});
    ScheduleSpec {
        goal: serde_json::from_value(goal).unwrap(),
        timing: Timing::Every { interval_ms: HOUR, anchor_ms: Some(0) },
        missed: Missed::Skip,
        failures_max: 2,
    }
}

/// Decides a command and commits what comes of it, as the scheduler does.
async fn tell(log: &Log, state: Option<Schedule>, command: ScheduleCommand, now_ms: u64) -> Option<Schedule> {
    let rhythm = spec().validate(ZONES, 0).unwrap();
    let events = schedule::decide(state.as_ref(), command, &rhythm, now_ms).unwrap();
    let mut state = state;
    let mut appended = Vec::new();
    for (n, event) in events.iter().enumerate() {
        state = schedule::evolve(state, event, now_ms);
        appended.push(NewEvent {
            id: format!("{now_ms}-{n}"),
            at_ms: now_ms,
            kind: event.kind().to_owned(),
            body: serde_json::to_string(event).unwrap(),
            data: "{}".to_owned(),
        });
    }
    let row = state.clone().unwrap();
    let schedule = row.id;
    let is_over = events.iter().any(|event| matches!(event, ScheduleEvent::Compacted { .. }));
    let mut writes =
        vec![Write::ScheduleEvents { schedule, events: appended }, Write::Row(Row::Schedule(Box::new(row)))];
    writes.extend(is_over.then_some(Write::ForgetSchedule { schedule }));
    log.commit(batch(writes)).await.unwrap();
    state
}

async fn add(log: &Log, n: u128, at_ms: u64) -> Schedule {
    let command = ScheduleCommand::Add { id: id(n), spec: Box::new(spec()), by: "ann".to_owned() };
    tell(log, None, command, at_ms).await.unwrap()
}

/// What the events that are there fold into.
async fn folded(reader: &LogReader) -> Option<Schedule> {
    let mut state = None;
    for record in everything(reader).await {
        let event: ScheduleEvent = serde_json::from_str(&record.body).unwrap();
        state = schedule::evolve(state, &event, record.at_ms);
    }
    state
}

/// I6, and retention: after each commit the row says what the events say that are still there.
pub(super) async fn a_schedule_reads_back_as_it_was_decided(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    let mut state = Some(add(&log, 1, 0).await);
    let mut longest = 0;
    for hour in 1..=HISTORY_EVENTS_MAX {
        state = tell(&log, state, ScheduleCommand::Due, hour * HOUR).await;
        let goal = state.as_ref().unwrap().running.unwrap();
        let ending = if hour % 3 == 0 { Ending::Failed(None) } else { Ending::Completed };
        state = tell(&log, state, ScheduleCommand::Finish { goal, ending }, hour * HOUR + 1).await;
        if hour % 50 == 0 {
            assert_eq!(reader.schedule(id(1)).await.unwrap(), state);
            assert_eq!(folded(&reader).await, state);
        }
        longest = longest.max(state.as_ref().unwrap().events);
    }
    assert_eq!(state.as_ref().unwrap().runs, HISTORY_EVENTS_MAX);
    let left = everything(&reader).await;
    assert!(left.len() as u64 <= HISTORY_EVENTS_MAX, "{}", left.len());
    assert_eq!(left.first().unwrap().kind, "schedule.compacted");
    let seqs: Vec<u64> = left.iter().map(|event| event.seq).collect();
    assert!(seqs.is_sorted_by(|a, b| a + 1 == *b), "no gaps from the tail on");
    assert!(longest < HISTORY_EVENTS_MAX);
}

pub(super) async fn schedules_are_paged_and_removed_ones_are_left_out(place: Place) {
    let log = place.log().await;
    let reader = log.reader();
    for n in 1..=5 {
        add(&log, n, u64::try_from(n).unwrap()).await;
    }
    let second = reader.schedule(id(2)).await.unwrap();
    tell(&log, second, ScheduleCommand::Remove { by: "ann".to_owned() }, 9).await;
    let page = async |removed, limit, offset| {
        let (page, total) =
            reader.schedules(ScheduleFilter { removed, limit, offset, after: None }).await.unwrap();
        let ids: Vec<u128> = page.iter().map(|schedule| schedule.id.uuid().as_u128()).collect();
        (ids, total)
    };
    assert_eq!(page(false, 10, 0).await, (vec![1, 3, 4, 5], 4));
    assert_eq!(page(true, 10, 0).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(page(false, 2, 1).await, (vec![3, 4], 4));
    let mut walked = Vec::new();
    let mut filter = ScheduleFilter { limit: 1, ..ScheduleFilter::default() };
    while let (page, 4) = reader.schedules(filter).await.unwrap()
        && let [schedule] = page.as_slice()
    {
        filter.after = Some(schedule.id);
        walked.push(schedule.id.uuid().as_u128());
    }
    assert_eq!(walked, [1, 3, 4, 5]);
    let live: Vec<ScheduleId> =
        reader.live_schedules().await.unwrap().iter().map(|schedule| schedule.id).collect();
    assert_eq!(live, [1, 3, 4, 5].map(id));
    let removed = reader.schedule(id(2)).await.unwrap().unwrap();
    assert_eq!(removed.status, ScheduleStatus::Removed);
    assert_eq!(reader.schedule(id(6)).await.unwrap(), None);
    let part = format!("{:031}5", 0);
    assert_eq!(reader.schedule_ids_like(&part, 9).await.unwrap(), [id(5).to_string()]);
    assert_eq!(reader.schedule_ids_like("sched", 3).await.unwrap().len(), 3);
}
