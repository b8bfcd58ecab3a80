//! The decisions of schedules: commands in, events out, and every state that can be reached.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::*;
use crate::machine::{START, Step};
use crate::{GoalSpec, ScheduleId};

const HOUR: Millis = 60 * 60 * 1000;

pub(super) const ZONES: Zones = Zones {
    get: |name| TimeZone::get(name).ok(),
    names: || jiff::tz::db().available().map(|name| name.to_string()).collect(),
};

fn goal(n: u128) -> GoalId {
    GoalId::from(Uuid::from_u128(n))
}

fn spec(timing: Timing, missed: Missed) -> ScheduleSpec {
    let goal = serde_json::json!({"title": "每天汇报", "description": "写一份日报"});
    let goal: GoalSpec = serde_json::from_value(goal).unwrap();
    ScheduleSpec { goal, timing, missed, failures_max: 2 }
}

/// One that begins at 0, with a slot each hour.
struct Life {
    schedule: Option<Schedule>,
    rhythm: Rhythm,
    told: String,
}

impl Life {
    fn hourly(missed: Missed) -> Self {
        let mut spec = spec(Timing::Every { interval_ms: HOUR, anchor_ms: Some(0) }, missed);
        let rhythm = spec.validate(ZONES, 0).unwrap();
        let mut life = Self { schedule: None, rhythm, told: String::new() };
        let id = ScheduleId::from(Uuid::from_u128(7));
        life.tell(0, ScheduleCommand::Add { id, spec: Box::new(spec), by: "ann".to_owned() });
        life.told.clear();
        life
    }

    /// Tells a command at so many minutes.
    fn tell(&mut self, minutes: u64, command: ScheduleCommand) {
        let now = minutes * 60_000;
        match decide(self.schedule.as_ref(), command, &self.rhythm, now) {
            Err(rejection) => {
                let rejection = rejection.to_string();
                let rejection = rejection.split("goal_").next().unwrap_or_default().trim_end();
                writeln!(self.told, "{minutes:>5} min  refused: {rejection}").unwrap();
            }
            Ok(events) => {
                for event in &events {
                    self.schedule = evolve(self.schedule.take(), event, now);
                    writeln!(self.told, "{minutes:>5} min  {}", words(event)).unwrap();
                }
            }
        }
    }

    fn due(&mut self, minutes: u64) {
        self.tell(minutes, ScheduleCommand::Due);
    }

    /// The goal that runs ends.
    fn ends(&mut self, minutes: u64, ending: Ending) {
        let goal = self.schedule.as_ref().and_then(|schedule| schedule.running).unwrap();
        self.tell(minutes, ScheduleCommand::Finish { goal, ending });
    }
}

fn words(event: &ScheduleEvent) -> String {
    let hours = |ms: &Millis| format!("{} h", ms / HOUR);
    let name = event.kind();
    match event {
        ScheduleEvent::Claimed { slot_ms, .. } => format!("{name} {}", hours(slot_ms)),
        ScheduleEvent::Skipped { first_ms, last_ms, count, why, .. } => {
            format!("{name} {count}: {} to {}, {}", hours(first_ms), hours(last_ms), why.as_str())
        }
        ScheduleEvent::Broke { reason, .. } => format!("{name}: {reason}"),
        _ => name.to_owned(),
    }
}

#[test]
fn slots_that_were_missed_are_skipped_run_once_or_all_run() {
    let mut told = String::new();
    for missed in Missed::ALL {
        let mut life = Life::hourly(missed);
        life.due(60);
        life.ends(61, Ending::Completed);
        // Three slots pass while nothing runs.
        life.due(269);
        for minutes in [270, 280, 290] {
            if life.schedule.as_ref().unwrap().running.is_some() {
                life.ends(minutes, Ending::Completed);
                life.due(minutes);
            }
        }
        life.due(300);
        // A clock that is set back repeats nothing.
        life.due(30);
        writeln!(told, "{}\n{}", missed.as_str(), life.told).unwrap();
    }
    assert_snapshot!(told, @"
    skip
       60 min  schedule.claimed 1 h
       61 min  schedule.succeeded
      269 min  schedule.skipped 3: 2 h to 4 h, missed
      300 min  schedule.claimed 5 h
       30 min  refused: no slot is due

    once
       60 min  schedule.claimed 1 h
       61 min  schedule.succeeded
      269 min  schedule.skipped 2: 2 h to 3 h, missed
      269 min  schedule.claimed 4 h
      270 min  schedule.succeeded
      270 min  refused: no slot is due
      300 min  schedule.claimed 5 h
       30 min  refused: no slot is due

    all
       60 min  schedule.claimed 1 h
       61 min  schedule.succeeded
      269 min  schedule.claimed 2 h
      270 min  schedule.succeeded
      270 min  schedule.claimed 3 h
      280 min  schedule.succeeded
      280 min  schedule.claimed 4 h
      290 min  schedule.succeeded
      290 min  refused: no slot is due
      300 min  schedule.claimed 5 h
       30 min  refused: no slot is due
    ");
}

#[test]
fn a_goal_that_still_runs_is_not_joined_by_another() {
    let mut told = String::new();
    for missed in Missed::ALL {
        let mut life = Life::hourly(missed);
        life.due(60);
        life.due(120);
        life.due(180);
        life.ends(200, Ending::Completed);
        life.due(201);
        if life.schedule.as_ref().unwrap().running.is_some() {
            life.ends(202, Ending::Completed);
            life.due(203);
        }
        writeln!(told, "{}\n{}", missed.as_str(), life.told).unwrap();
    }
    assert_snapshot!(told, @"
    skip
       60 min  schedule.claimed 1 h
      120 min  schedule.skipped 1: 2 h to 2 h, running
      180 min  schedule.skipped 1: 3 h to 3 h, running
      200 min  schedule.succeeded
      201 min  refused: no slot is due

    once
       60 min  schedule.claimed 1 h
      120 min  refused: its goal
      180 min  refused: its goal
      200 min  schedule.succeeded
      201 min  schedule.skipped 1: 2 h to 2 h, missed
      201 min  schedule.claimed 3 h
      202 min  schedule.succeeded
      203 min  refused: no slot is due

    all
       60 min  schedule.claimed 1 h
      120 min  refused: its goal
      180 min  refused: its goal
      200 min  schedule.succeeded
      201 min  schedule.claimed 2 h
      202 min  schedule.succeeded
      203 min  schedule.claimed 3 h
    ");
}

#[test]
fn it_breaks_after_so_many_failures_in_a_row_until_a_person_looks() {
    let by = || "ann".to_owned();
    let mut life = Life::hourly(Missed::Skip);
    let failed = || Ending::Failed(Some("no such file".to_owned()));
    for (hour, ending) in
        [failed(), Ending::Completed, failed(), Ending::Cancelled, failed()].into_iter().enumerate()
    {
        let minutes = (hour as u64 + 1) * 60;
        life.due(minutes);
        life.ends(minutes + 1, ending);
    }
    life.due(360);
    life.tell(361, ScheduleCommand::Run { goal: goal(9), by: by() });
    life.tell(362, ScheduleCommand::Run { goal: goal(10), by: by() });
    life.ends(363, Ending::Completed);
    life.tell(400, ScheduleCommand::Resume { by: by() });
    life.due(419);
    life.due(420);
    life.tell(421, ScheduleCommand::Remove { by: by() });
    life.ends(422, Ending::Completed);
    assert_snapshot!(life.told, @"
     60 min  schedule.claimed 1 h
     61 min  schedule.failed
    120 min  schedule.claimed 2 h
    121 min  schedule.succeeded
    180 min  schedule.claimed 3 h
    181 min  schedule.failed
    240 min  schedule.claimed 4 h
    241 min  schedule.cancelled
    300 min  schedule.claimed 5 h
    301 min  schedule.broke: 2 goals in a row failed, the last with: no such file
    360 min  refused: the schedule is broken
    361 min  schedule.ran
    362 min  refused: its goal
    363 min  schedule.succeeded
    400 min  schedule.resumed
    419 min  refused: no slot is due
    420 min  schedule.claimed 7 h
    421 min  schedule.removed
    422 min  refused: the schedule is removed
    ");
    let schedule = life.schedule.unwrap();
    assert_eq!((schedule.runs, schedule.failures, schedule.skipped), (7, 0, 0));
}

#[test]
fn no_more_than_so_many_are_caught_up_and_the_work_is_bounded() {
    let mut life = Life::hourly(Missed::All);
    // Half a century.
    life.due(60 * 24 * 365 * 50);
    life.ends(60 * 24 * 365 * 50, Ending::Completed);
    for _ in 0..CATCH_UP_MAX {
        life.due(60 * 24 * 365 * 50);
        if life.schedule.as_ref().unwrap().running.is_some() {
            life.ends(60 * 24 * 365 * 50, Ending::Completed);
        }
    }
    let claimed = life.told.matches("claimed").count();
    assert_eq!(claimed, CATCH_UP_MAX, "{}", life.told);
    assert!(life.told.contains("schedule.skipped 1000: 1 h to 437976 h, missed"), "{}", life.told);
}

#[test]
fn its_history_does_not_grow_for_ever() {
    let mut life = Life::hourly(Missed::Skip);
    let mut events = 1_u64;
    for hour in 1..=1000 {
        life.due(hour * 60);
        life.ends(hour * 60 + 1, Ending::Completed);
        events += 2;
        let schedule = life.schedule.as_ref().unwrap();
        assert!(schedule.events <= HISTORY_EVENTS_MAX, "{}", schedule.events);
        assert!(schedule.recent.len() <= RECENT_MAX);
    }
    assert_eq!(life.schedule.unwrap().runs, 1000);
    assert_eq!(life.told.matches("compacted").count() as u64, events / HISTORY_EVENTS_MAX);
}

#[test]
fn a_slot_has_one_goal_and_another_one_after_a_person_had_it_go_on() {
    let schedule = Life::hourly(Missed::Skip).schedule.unwrap();
    assert_eq!(schedule.goal_of_slot(5), schedule.goal_of_slot(5));
    assert_ne!(schedule.goal_of_slot(5), schedule.goal_of_slot(6));
    let resumed = Schedule { series: 1, ..schedule.clone() };
    assert_ne!(schedule.goal_of_slot(5), resumed.goal_of_slot(5));
}

/// Every state that can be reached, by going through all of them.
#[test]
fn every_command_in_every_reachable_state_is_a_step_of_the_table_or_refused() {
    let by = || "ann".to_owned();
    let new = Life::hourly(Missed::Skip);
    let rhythm = new.rhythm.clone();
    let mut seen = BTreeSet::from([Step(START, "created", "active")]);
    // Near the end of its history, too.
    let first = new.schedule.unwrap();
    let old = Schedule { events: HISTORY_EVENTS_MAX, ..first.clone() };
    let last = Schedule { running: Some(goal(1)), failures: 1, ..old.clone() };
    let mut known = vec![first, old, last];
    let mut open = known.clone();
    while let Some(before) = open.pop() {
        let commands = [0, 1, 2].map(|hour| (hour * HOUR, ScheduleCommand::Due)).into_iter().chain(
            [
                ScheduleCommand::Run { goal: goal(1), by: by() },
                ScheduleCommand::Pause { by: by() },
                ScheduleCommand::Resume { by: by() },
                ScheduleCommand::Remove { by: by() },
            ]
            .into_iter()
            .chain(
                [Ending::Completed, Ending::Cancelled, Ending::Failed(None)]
                    .into_iter()
                    .filter_map(|ending| Some(ScheduleCommand::Finish { goal: before.running?, ending })),
            )
            .map(|command| (0, command)),
        );
        for (now, command) in commands {
            let Ok(events) = decide(Some(&before), command.clone(), &rhythm, now) else { continue };
            let mut after = before.clone();
            for event in &events {
                let stood = after.clone();
                after = evolve(Some(after), event, now).unwrap();
                let name = serde_json::to_value(event).unwrap()["type"].as_str().unwrap().to_owned();
                let step = MACHINE.steps.iter().find(|step| {
                    (step.0, step.1, step.2) == (stood.status.as_str(), name.as_str(), after.status.as_str())
                });
                seen.insert(*step.unwrap_or_else(|| panic!("{stood:?} {command:?}: {event:?}")));
                if let ScheduleEvent::Claimed { slot_ms, .. } = event {
                    assert!(stood.passed_ms < *slot_ms, "a slot is claimed once");
                    assert_eq!(stood.running, None, "one goal at a time");
                }
            }
            // What is only counted makes no other state.
            let plain = |schedule: &Schedule| Schedule {
                runs: 0,
                series: 0,
                skipped: 0,
                failures: schedule.failures.min(2),
                recent: Vec::new(),
                running: schedule.running.map(|_| goal(1)),
                events: if schedule.events > HISTORY_EVENTS_MAX / 2 { HISTORY_EVENTS_MAX } else { 1 },
                ..schedule.clone()
            };
            let after = plain(&after);
            if !known.contains(&after) {
                known.push(after.clone());
                open.push(after);
            }
        }
    }
    assert_eq!(seen, MACHINE.steps.iter().copied().collect());
    assert!(ScheduleStatus::ALL.iter().all(|status| known.iter().any(|one| one.status == *status)));
}

#[test]
fn what_cannot_be_understood_is_refused_with_a_hint() {
    let cron = |expression: &str, zone: &str| Timing::Cron {
        expression: expression.to_owned(),
        zone: zone.to_owned(),
    };
    let every = |interval_ms| Timing::Every { interval_ms, anchor_ms: None };
    let wrong = [
        cron("0 9 * * 8", "UTC"),
        cron("0 25 * * *", "UTC"),
        cron("0 9 * *", "UTC"),
        cron("0 0 9 * * 1-5", "UTC"),
        cron("0 9 30 2 *", "UTC"),
        cron("零 9 * * *", "UTC"),
        cron("0 9 * * *", "Europe/Belin"),
        cron("0 9 * * *", "Shanghai"),
        cron("0 9 * * *", "Mars/Olympus Mons"),
        every(1000),
        every(u64::MAX),
    ];
    let mut told = String::new();
    for timing in wrong {
        let invalid = spec(timing, Missed::Skip).validate(ZONES, 0).unwrap_err();
        writeln!(told, "{invalid}\n  hint: {}", invalid.hint.clone().unwrap_or_default()).unwrap();
    }
    let mut late = spec(every(HOUR), Missed::Skip);
    late.goal.deadline_ms = Some(1);
    writeln!(told, "{}", late.validate(ZONES, 0).unwrap_err()).unwrap();
    late.goal.deadline_ms = None;
    late.failures_max = 0;
    writeln!(told, "{}", late.validate(ZONES, 0).unwrap_err()).unwrap();
    late.goal.title = String::new();
    writeln!(told, "{}", late.validate(ZONES, 0).unwrap_err()).unwrap();
    assert_snapshot!(told, @"
    timing.expression: it cannot be read:
    0 9 * * 8
            ^ value must be in range 0..=7; found 8
      hint: the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`
    timing.expression: it cannot be read:
    0 25 * * *
      ^ value must be in range 0..=23; found 25
      hint: the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`
    timing.expression: a cron expression has 5 fields; this has fewer
      hint: the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`; the time zone is said apart
    timing.expression: a cron expression has 5 fields; this has more
      hint: the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`; the time zone is said apart
    timing: this never comes
      hint: is there such a day in that month?
    timing.expression: it cannot be read:
    零 9 * * *
    ^ malformed expression
      hint: the fields are: minute hour day-of-month month day-of-week, such as `0 9 * * 1-5`
    timing.zone: there is no time zone `Europe/Belin`
      hint: did you mean `Europe/Berlin`?
    timing.zone: there is no time zone `Shanghai`
      hint: did you mean `Asia/Shanghai`?
    timing.zone: there is no time zone `Mars/Olympus Mons`
      hint: write one like Europe/Berlin or Asia/Shanghai
    timing.interval_ms: an interval is at least a minute, and at most 366 days
      hint: 
    timing.interval_ms: an interval is at least a minute, and at most 366 days
      hint: 
    deadline_ms: a goal that is run again and again cannot have one deadline
    failures_max: 0 is not from 1 to 1000
    title: a title is not empty
    ");
    let mut spelled = spec(cron("0 9 * * *", "europe/berlin"), Missed::Skip);
    spelled.validate(ZONES, 0).unwrap();
    assert_eq!(spelled.timing, cron("0 9 * * *", "Europe/Berlin"));
}

/// Times on the wall, as people write them.
pub(super) fn at(text: &str) -> Millis {
    let at: Timestamp = text.parse().unwrap();
    at.as_millisecond().try_into().unwrap()
}
