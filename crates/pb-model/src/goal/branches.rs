//! The branches of a goal: what may go on when another has failed, stopped at a cap, or waits for a person.

use std::collections::BTreeSet;

use super::cap::Cap;
use super::escalation::EscalationType;
use super::state::{GoalState, GoalStatus, Item, ItemStatus, Run};
use crate::ItemId;

impl GoalState {
    /// Whether items may start at all: an active goal that is neither paused nor being cancelled, and that
    /// no cap of the whole goal stops.
    pub fn may_start_items(&self) -> bool {
        let stopped = self.goal.cancel.is_some() || self.is_paused();
        let planned = self.goal.replan.is_none();
        self.goal.status == GoalStatus::Active && planned && !stopped && !self.is_stopped()
    }

    /// Whether the item may start as far as the rest of the goal goes: a branch that failed holds back
    /// nothing but what needs it.
    pub fn may_start(&self, item: &Item) -> bool {
        self.may_start_items() && !self.is_held_back(item)
    }

    /// Whether something of it goes on by itself, once a pause is over.
    pub fn can_go_on(&self) -> bool {
        let waits = |item: &Item| match item.status {
            ItemStatus::Ready => true,
            ItemStatus::Queued => item.not_before_ms.is_some(),
            ItemStatus::InProgress
            | ItemStatus::Verify
            | ItemStatus::Done
            | ItemStatus::Failed
            | ItemStatus::Blocked
            | ItemStatus::Skipped => false,
        };
        // Agent items take turns, also where the one whose turn it is waits for a person.
        let is_taken = self.agent_runs();
        let goes_on = |item: &Item| {
            waits(item) && !(is_taken && item.is_agent()) && (self.is_paused() || !self.is_held_back(item))
        };
        self.working().next().is_some() || self.items.iter().any(goes_on)
    }

    /// Whether an answer of a person lets something of it go on.
    pub fn waits_for_human(&self) -> bool {
        let cut_off = self.cut_off();
        let waits = |item: &Item| match item.status {
            ItemStatus::Blocked => true,
            ItemStatus::Queued | ItemStatus::Ready | ItemStatus::InProgress | ItemStatus::Verify => {
                self.is_held_back(item) && !cut_off.contains(&item.id)
            }
            ItemStatus::Done | ItemStatus::Failed | ItemStatus::Skipped => false,
        };
        self.running().any(Run::is_waiting) || self.client_waits() || self.items.iter().any(waits)
    }

    /// Whether it can only fail: an item failed, and nothing else of it can go on, by itself or by an answer.
    pub fn is_lost(&self) -> bool {
        self.goal.status == GoalStatus::Active
            && self.goal.cancel.is_none()
            && self.goal.replan.is_none()
            && self.items.iter().any(|item| item.status == ItemStatus::Failed)
            && !self.can_go_on()
            && !self.waits_for_human()
    }

    /// Whether only its end is left: all is done and to be delivered, or it can only fail.
    pub fn is_ending(&self) -> bool {
        !self.items.is_empty() && (self.is_done() || self.is_lost())
    }

    /// The items that failed, and those that can never start because they need one of them, directly or not.
    pub fn cut_off(&self) -> BTreeSet<ItemId> {
        let failed = self.items.iter().filter(|item| item.status == ItemStatus::Failed);
        let mut cut: BTreeSet<ItemId> = failed.map(|item| item.id).collect();
        let mut grows = !cut.is_empty();
        // Bounded: each pass but the last adds an item.
        while grows {
            let before = cut.len();
            for item in self.items.iter().filter(|item| !item.status.is_settled()) {
                if self.waits_on(item).iter().any(|need| cut.contains(need)) {
                    cut.insert(item.id);
                }
            }
            grows = cut.len() > before;
        }
        cut
    }

    /// Whether an open question keeps the item from starting, whatever branch it is of.
    fn is_held_back(&self, item: &Item) -> bool {
        self.is_stopped() || (item.is_agent() && self.models_are_stopped())
    }

    /// Whether a cap is reached that everything uses up, and nobody has answered yet.
    fn is_stopped(&self) -> bool {
        self.open_escalations().any(|asked| match asked.cap {
            Some(Cap::Time | Cap::Deadline | Cap::History) => true,
            Some(
                Cap::Tokens | Cap::Cost | Cap::Turns | Cap::Share | Cap::ItemTime | Cap::Call | Cap::Day,
            ) => false,
            // One that an earlier version asked about.
            None => asked.escalation_type == EscalationType::Budget,
        })
    }

    /// Whether a cap is reached that only models use up: commands need none of it.
    fn models_are_stopped(&self) -> bool {
        self.open_escalations().any(|asked| {
            asked.cap.is_some_and(|cap| match cap {
                Cap::Tokens | Cap::Cost | Cap::Turns | Cap::Day => true,
                Cap::Time | Cap::Deadline | Cap::History | Cap::Share | Cap::ItemTime | Cap::Call => false,
            })
        })
    }
}
