//! What a goal may still do: money, tokens, turns and time, on every level of its budget.

use super::cap::{Cap, Caps};
use super::day::DayBudget;
use super::spending::{Amount, WARN_PERCENT};
use super::state::{GoalState, GoalStatus};
use crate::spec::Work;
use crate::{ItemId, Millis, RunId};

impl GoalState {
    /// What one more call for `item` may cost at most, as far as the goal itself says.
    pub fn left_for(&self, item: Option<ItemId>) -> Caps {
        let caps = Caps::of(&self.goal.spec);
        let left = caps.left(self.goal.spending.committed()).lower(Caps::of_a_call(&self.goal.spec));
        match self.share(item, caps) {
            Some((share, used)) => left.lower(share.left(used)),
            None => left,
        }
    }

    /// The cap that a call of `item` which cost more than was put aside is told of: the first that there is.
    pub(super) fn cap_of_overrun(&self, item: Option<ItemId>, day: &DayBudget) -> Option<Cap> {
        let spec = &self.goal.spec;
        let caps = Caps::of(spec);
        let levels = [
            (Cap::Tokens, caps.tokens.is_some()),
            (Cap::Cost, caps.micro_usd.is_some()),
            (Cap::Share, self.share(item, caps).is_some()),
            (Cap::Call, !Caps::of_a_call(spec).is_none()),
            (Cap::Day, !day.caps.is_none()),
        ];
        levels.into_iter().find(|(_, is_there)| *is_there).map(|(cap, _)| cap)
    }

    /// How much of each of the goal's caps is used at `now`, in percent, rounded down.
    pub fn used_percent(&self, now: Millis) -> Vec<(Cap, u64)> {
        let (spec, spending) = (&self.goal.spec, &self.goal.spending);
        let caps = Caps::of(spec);
        let time_ms = self.time_budget_ms();
        let ran_ms = time_ms.zip(self.goal.time_left_ms(now)).map_or(0, |(all, left)| all - left.min(all));
        let created = self.goal.created_at_ms;
        let until = spec.deadline_ms.map(|deadline| deadline.saturating_sub(created));
        let used = [
            (Cap::Tokens, caps.tokens, spending.settled.tokens),
            (Cap::Cost, caps.micro_usd, spending.settled.micro_usd),
            (Cap::Turns, spec.budget_turns.map(u64::from), spending.turns.into()),
            (Cap::Time, time_ms, ran_ms),
            (Cap::Deadline, until, now.saturating_sub(created)),
        ];
        let percent = |(cap, of, used): (Cap, Option<u64>, u64)| {
            let percent = u128::from(used) * 100 / u128::from(of.filter(|of| *of > 0)?);
            Some((cap, u64::try_from(percent).unwrap_or(u64::MAX)))
        };
        used.into_iter().filter_map(percent).collect()
    }

    fn time_budget_ms(&self) -> Option<u64> {
        self.goal.spec.budget_time_minutes.map(|minutes| minutes.saturating_mul(60_000))
    }

    /// The cap that one more call for `item`, costing `amount`, would break.
    pub fn cap_broken_by(&self, item: Option<ItemId>, amount: Amount, day: &DayBudget) -> Option<Cap> {
        let caps = Caps::of(&self.goal.spec);
        if self.goal.spec.budget_turns.is_some_and(|turns| self.goal.spending.turns >= turns) {
            return Some(Cap::Turns);
        }
        let after = self.goal.spending.committed().plus(amount);
        if caps.tokens.is_some_and(|cap| after.tokens > cap) {
            return Some(Cap::Tokens);
        }
        if caps.micro_usd.is_some_and(|cap| after.micro_usd > cap) {
            return Some(Cap::Cost);
        }
        if self.item_time_left_ms(item) == Some(0) {
            return Some(Cap::ItemTime);
        }
        let share = self.share(item, caps);
        if share.is_some_and(|(share, used)| share.broken_by(used.plus(amount))) {
            return Some(Cap::Share);
        }
        if Caps::of_a_call(&self.goal.spec).broken_by(amount) {
            return Some(Cap::Call);
        }
        day.broken_by(amount).then_some(Cap::Day)
    }

    /// The caps of the item's share, and what the item has used of it.
    fn share(&self, item: Option<ItemId>, caps: Caps) -> Option<(Caps, Amount)> {
        let item = self.item(item?)?;
        let Work::Agent(agent) = &item.work else { return None };
        let part = agent.budget_percent.map_or_else(Caps::default, |percent| caps.percent(percent));
        let share = part.lower(Caps::of_item(agent));
        if share.is_none() {
            return None;
        }
        let runs: Vec<RunId> =
            self.runs.iter().filter(|run| run.item_id == Some(item.id)).map(|run| run.id).collect();
        let reserved = self.goal.spending.reserved.iter().filter(|held| runs.contains(&held.run));
        let used = reserved.fold(item.spent, |sum, held| sum.plus(held.amount));
        Some((share, used))
    }

    /// How long the item's models and tools may still run, in milliseconds; `None` without a limit.
    pub fn item_time_left_ms(&self, item: Option<ItemId>) -> Option<u64> {
        let item = self.item(item?)?;
        let Work::Agent(agent) = &item.work else { return None };
        Some(agent.time_limit_s?.saturating_mul(1_000).saturating_sub(item.ran_ms))
    }

    /// How long a step of the item may run at `now`: what is left of its own time, and of the goal's.
    pub fn step_time_left_ms(&self, item: Option<ItemId>, now: Millis) -> Option<u64> {
        [self.goal.time_left_ms(now), self.item_time_left_ms(item)].into_iter().flatten().min()
    }

    /// Which of the two ended a step that was stopped at `now`.
    pub(super) fn time_cap(&self, item: Option<ItemId>, now: Millis) -> Cap {
        match (self.goal.time_left_ms(now), self.item_time_left_ms(item)) {
            (Some(goal), Some(item)) if item < goal => Cap::ItemTime,
            (None, Some(_)) => Cap::ItemTime,
            _ => Cap::Time,
        }
    }

    /// The cap of the whole goal that stops it: a human was asked about it, and nothing new starts.
    pub fn stopped_by(&self) -> Option<Cap> {
        let mut open = self.open_escalations().filter(|asked| asked.item_id.is_none());
        open.find_map(|asked| asked.cap.filter(|cap| matches!(cap, Cap::History | Cap::Deadline)))
    }

    /// Whether its deadline has passed and nobody was asked yet. What is done is delivered late.
    pub fn is_overdue(&self, now: Millis) -> bool {
        let passed = self.goal.spec.deadline_ms.is_some_and(|deadline| deadline <= now);
        passed && self.minds_time() && self.stopped_by().is_none()
    }

    /// Whether time that passes may still change anything about it.
    fn minds_time(&self) -> bool {
        let goes_on = matches!(self.goal.status, GoalStatus::Queued | GoalStatus::Active);
        goes_on && self.goal.cancel.is_none() && !self.is_ending()
    }

    /// The next time at which something about it changes by itself: a mark of its time budget is reached, its
    /// deadline, or the end of the time for an answer.
    pub fn next_mark(&self) -> Option<Millis> {
        self.next_expiry().into_iter().chain(self.next_time_mark()).min()
    }

    /// The next time at which a question is answered by itself.
    fn next_expiry(&self) -> Option<Millis> {
        if self.goal.status.is_terminal() || self.goal.cancel.is_some() {
            return None;
        }
        self.open_escalations().filter_map(|asked| asked.expiry.map(|expiry| expiry.at_ms)).min()
    }

    fn next_time_mark(&self) -> Option<Millis> {
        if !self.minds_time() {
            return None;
        }
        let next = |cap: Cap, start: Millis, length: u64| {
            let told = self.goal.spending.warned.get(&cap).copied().unwrap_or(0);
            let mark = WARN_PERCENT.into_iter().find(|mark| *mark > told)?;
            let after = (u128::from(length) * u128::from(mark)).div_ceil(100);
            Some(start.saturating_add(u64::try_from(after).unwrap_or(u64::MAX)))
        };
        let running = self.time_budget_ms().zip(self.goal.running_since_ms).and_then(|(budget, since)| {
            // What ran before counts as if it had run just before.
            next(Cap::Time, 0, budget).map(|at| since + at.saturating_sub(self.goal.spent_time_ms))
        });
        let created = self.goal.created_at_ms;
        let deadline = self.goal.spec.deadline_ms.filter(|_| self.stopped_by().is_none());
        let until = deadline.map(|at| {
            next(Cap::Deadline, created, at.saturating_sub(created)).map_or(at, |mark| mark.min(at))
        });
        [running, until].into_iter().flatten().min()
    }
}
