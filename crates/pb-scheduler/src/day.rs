//! What all goals and conversations spend today: kept beside them in memory, so that each decision sees what the ones
//! before it in the same turn have promised.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use pb_model::Millis;
use pb_model::goal::{Amount, Caps, CostLine, DayBudget, LocalDay, Spending, Usd};
use pb_runtime::config;
use pb_store::{Error, LogReader};
use uuid::Uuid;

/// The budget of the day, and what is used of it.
#[derive(Debug)]
pub(crate) struct DayLedger {
    zone: TimeZone,
    caps: Caps,
    turns_max: Option<u32>,
    budget: DayBudget,
    /// What each goal and session has spent and promised today; those that did not are left out.
    used: HashMap<Uuid, Used>,
}

/// What one of them has spent and promised on the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Used {
    settled: Amount,
    reserved: Amount,
    turns: u32,
    calls: u32,
}

impl Default for DayLedger {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            caps: Caps::default(),
            turns_max: None,
            budget: DayBudget::default(),
            used: HashMap::new(),
        }
    }
}

impl DayLedger {
    pub(crate) fn new(settings: &config::Budget) -> Self {
        Self {
            zone: settings.zone(),
            turns_max: settings.day_turns.map(u32::from),
            caps: Caps {
                tokens: settings.day_tokens.map(u64::from),
                micro_usd: settings.day_usd.map(|usd| Usd::from(usd).0),
            },
            budget: DayBudget::default(),
            used: HashMap::new(),
        }
    }

    /// Today, and what is used of its budget.
    pub(crate) fn budget(&self) -> DayBudget {
        self.budget.clone()
    }

    /// Whether `now` is on another day than the one that is counted.
    pub(crate) fn is_over(&self, now: Millis) -> bool {
        self.budget.day.as_ref().map(|day| day.date) != Some(self.date(now))
    }

    fn date(&self, now: Millis) -> Date {
        let now = i64::try_from(now).ok().and_then(|now| Timestamp::from_millisecond(now).ok());
        now.unwrap_or(Timestamp::MAX).to_zoned(self.zone.clone()).date()
    }

    /// Begins to count the day of `now`: what was spent on it before is in the store. A clock that was set
    /// back comes to a day that was counted already.
    pub(crate) async fn begin<'a>(
        &mut self,
        now: Millis,
        log: &LogReader,
        open: impl Iterator<Item = (Uuid, &'a Spending)>,
    ) -> Result<(), Error> {
        let date = self.date(now);
        let zone = self.zone.iana_name().unwrap_or("UTC").to_owned();
        self.used.clear();
        self.budget = DayBudget {
            day: Some(LocalDay { date, zone }),
            caps: self.caps,
            turns_max: self.turns_max,
            ..DayBudget::default()
        };
        if self.is_uncapped() {
            return Ok(()); // Nobody asks how much it is.
        }
        for cost in log.costs().await? {
            self.set(cost.goal.uuid(), Used::settled_on(date, &cost.lines));
        }
        for cost in log.session_costs().await? {
            self.set(cost.session.uuid(), Used::settled_on(date, &cost.lines));
        }
        for (id, spending) in open {
            self.note(id, spending);
        }
        Ok(())
    }

    /// Notes what a goal or session has spent and promised, now that it stands so.
    pub(crate) fn note(&mut self, id: Uuid, spending: &Spending) {
        let Some(date) = self.budget.day.as_ref().map(|day| day.date).filter(|_| !self.is_uncapped()) else {
            return;
        };
        let is_today = |day: &Option<LocalDay>| day.as_ref().is_some_and(|day| day.date == date);
        let mut used = Used::settled_on(date, &spending.lines);
        for held in spending.reserved.iter().filter(|held| is_today(&held.day)) {
            used.reserved = used.reserved.plus(held.amount);
            used.calls += 1;
        }
        self.set(id, used);
    }

    /// Whether nobody asks how much it is.
    fn is_uncapped(&self) -> bool {
        self.caps.is_none() && self.turns_max.is_none()
    }

    fn set(&mut self, id: Uuid, used: Used) {
        let before = if used == Used::default() { self.used.remove(&id) } else { self.used.insert(id, used) };
        let before = before.unwrap_or_default();
        let change = |sum: Amount, before: Amount, now: Amount| {
            let less = Amount {
                tokens: sum.tokens.saturating_sub(before.tokens),
                micro_usd: sum.micro_usd.saturating_sub(before.micro_usd),
            };
            less.plus(now)
        };
        self.budget.settled = change(self.budget.settled, before.settled, used.settled);
        self.budget.reserved = change(self.budget.reserved, before.reserved, used.reserved);
        let count = |sum: u32, before: u32, now: u32| sum.saturating_sub(before).saturating_add(now);
        self.budget.turns = count(self.budget.turns, before.turns, used.turns);
        self.budget.calls = count(self.budget.calls, before.calls, used.calls);
    }
}

impl Used {
    fn settled_on(date: Date, lines: &[CostLine]) -> Self {
        let today = lines.iter().filter(|line| line.day.as_ref().is_some_and(|day| day.date == date));
        today.fold(Self::default(), |used, line| Self {
            settled: used.settled.plus(line.amount),
            turns: used.turns.saturating_add(line.turns),
            ..used
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pb_model::goal::{GoalState, Reservation};
    use pb_model::{GoalId, RunId};
    use pb_store::{Batch, Location, Log, Row, Write};

    use super::*;
    use crate::agent::scratch;

    const FILE: &str = "title = '花'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'x'";

    fn amount(tokens: u64) -> Amount {
        Amount { tokens, micro_usd: tokens * 10 }
    }

    fn on(day: i8) -> LocalDay {
        LocalDay { date: date(2026, 11, day), zone: "Asia/Shanghai".to_owned() }
    }

    /// A goal that has settled so much on each day, and promised so much today.
    fn goal(n: u128, settled: &[(i8, u64)], reserved: &[(i8, u64)]) -> GoalState {
        let mut state = scratch::goal(FILE);
        state.goal.id = GoalId::from(Uuid::from_u128(n));
        let line = |(day, tokens): &(i8, u64)| CostLine {
            day: Some(on(*day)),
            amount: amount(*tokens),
            turns: 1,
            ..CostLine::default()
        };
        state.goal.spending.lines = settled.iter().map(line).collect();
        let held = |(day, tokens): &(i8, u64)| Reservation {
            run: RunId::from(Uuid::from_u128(1)),
            n: 1,
            amount: amount(*tokens),
            unpriced: false,
            output_tokens: 1,
            day: Some(on(*day)),
        };
        state.goal.spending.reserved = reserved.iter().map(held).collect();
        state
    }

    fn at(time: &str) -> Millis {
        let at: Timestamp = time.parse().unwrap();
        at.as_millisecond().try_into().unwrap()
    }

    fn open<'a>(states: &[&'a GoalState]) -> impl Iterator<Item = (Uuid, &'a Spending)> {
        states.iter().map(|state| (state.goal.id.uuid(), &state.goal.spending))
    }

    fn note(day: &mut DayLedger, state: &GoalState) {
        day.note(state.goal.id.uuid(), &state.goal.spending);
    }

    fn ledger() -> DayLedger {
        let budget = toml::from_str("day_tokens = 1000\ntimezone = 'Asia/Shanghai'").unwrap();
        DayLedger::new(&budget)
    }

    #[tokio::test]
    async fn a_day_is_counted_over_all_goals_from_midnight_to_midnight() {
        let log = Log::open(Location::Memory, "x".to_owned(), None).await.unwrap();
        let ended = goal(1, &[(26, 100), (27, 30)], &[]);
        let batch = Batch { writes: vec![Write::Row(Row::Goal(Box::new(ended.goal.clone())))] };
        log.commit(batch).await.unwrap();
        let mut day = ledger();
        // 23:59 of the 26th there.
        let running = goal(2, &[(27, 5)], &[(27, 7)]);
        let evening = at("2026-11-26T15:59:59Z");
        assert!(day.is_over(evening));
        day.begin(evening, &log.reader(), open(&[&running])).await.unwrap();
        let told = |day: &DayLedger| {
            let budget = day.budget();
            let date = budget.day.clone().unwrap().date.to_string();
            let (turns, calls) = (budget.turns, budget.calls);
            (date, budget.settled.tokens, budget.reserved.tokens, budget.left().tokens.unwrap(), turns, calls)
        };
        assert_eq!(told(&day), ("2026-11-26".to_owned(), 100, 0, 900, 1, 0));
        assert!(!day.is_over(evening));

        let morning = at("2026-11-26T16:00:00Z");
        assert!(day.is_over(morning));
        day.begin(morning, &log.reader(), open(&[&running])).await.unwrap();
        assert_eq!(told(&day), ("2026-11-27".to_owned(), 35, 7, 958, 2, 1));

        // It goes on; then a commit fails and it stands as before; then it is forgotten, and what it cost is not.
        note(&mut day, &goal(2, &[(27, 12)], &[(27, 900)]));
        assert_eq!(told(&day), ("2026-11-27".to_owned(), 42, 900, 58, 2, 1));
        note(&mut day, &running);
        assert_eq!(told(&day), ("2026-11-27".to_owned(), 35, 7, 958, 2, 1));

        // The clock is set back: the day goes on where it was.
        day.begin(evening, &log.reader(), open(&[&running])).await.unwrap();
        assert_eq!(told(&day), ("2026-11-26".to_owned(), 100, 0, 900, 1, 0));
    }

    #[tokio::test]
    async fn answers_are_counted_with_the_calls_that_may_still_be_answered() {
        let log = Log::open(Location::Memory, "x".to_owned(), None).await.unwrap();
        let mut day = DayLedger::new(&toml::from_str("day_turns = 3\ntimezone = 'Asia/Shanghai'").unwrap());
        let noon = at("2026-11-27T04:00:00Z");
        day.begin(noon, &log.reader(), open(&[&goal(1, &[(26, 1), (27, 1)], &[(27, 1)])])).await.unwrap();
        assert!(!day.budget().broken_by(Amount::default()));
        note(&mut day, &goal(2, &[], &[(27, 1)]));
        assert!(day.budget().broken_by(Amount::default()), "one was answered, two are asked");
        assert_eq!(day.budget().used_percent(Amount::default(), 1), Some(66));
    }

    #[tokio::test]
    async fn without_a_cap_days_are_named_and_not_counted() {
        let log = Log::open(Location::Memory, "x".to_owned(), None).await.unwrap();
        let mut day = DayLedger::new(&toml::from_str("timezone = 'America/New_York'").unwrap());
        let running = goal(2, &[(27, 5)], &[(27, 7)]);
        day.begin(at("2026-11-27T04:00:00Z"), &log.reader(), open(&[&running])).await.unwrap();
        let budget = day.budget();
        let today = LocalDay { date: date(2026, 11, 26), zone: "America/New_York".to_owned() };
        assert_eq!(
            (budget.day, budget.settled, budget.caps),
            (Some(today), Amount::default(), Caps::default())
        );
    }
}
