//! Runs that add items, and what must hold of these.

use std::collections::BTreeSet;

use super::*;

impl World {
    /// What a run that may adds to its goal, beside what it added in the same batch: one or two items, the
    /// second of which may need the first.
    pub(super) fn additions(&mut self, run: Option<&Run>, earlier: &[Addition]) -> Vec<Addition> {
        let state = self.state.clone().unwrap();
        let parent = run.and_then(|run| state.item(run.item_id?)).filter(|item| state.may_add_items(item));
        let (Some(run), Some(parent)) = (run, parent) else { return Vec::new() };
        if self.draw(3) > 0 {
            return Vec::new();
        }
        let room = state.room_to_add() as usize - earlier.len();
        let mut additions: Vec<Addition> = Vec::new();
        for _ in 0..room.min(1 + usize::from(self.draw(2))) {
            let id = ItemId::from(self.mint());
            let mut spec = command_item(&format!("+{}", self.minted), Effect::Idempotent, &[true]);
            if self.draw(2) == 1 {
                let may_add_items = state.added_depth(parent) + 1 < ADDED_DEPTH_MAX;
                spec.work = Work::Agent(AgentSpec { may_add_items, ..agent_work() });
            }
            spec.needs =
                additions.iter().filter(|_| self.draw(2) == 1).map(|other| other.spec.id.clone()).collect();
            additions.push(Addition { id, spec: inherited(parent, spec) });
        }
        let specs: Vec<ItemSpec> = additions.iter().map(|addition| addition.spec.clone()).collect();
        assert_eq!(state.addition_problems(run, earlier, &specs), []);
        additions
    }
}

/// What was added below what the item needs, level by level; an item that was added does not wait for its
/// parent's others.
pub(super) fn below_needs<'a>(state: &'a GoalState, item: &Item) -> Vec<&'a Item> {
    let is_below = |other: &&Item| {
        let above = std::iter::successors(other.added_by, |id| state.item(*id).unwrap().added_by);
        above.take_while(|above| Some(*above) != item.added_by).any(|above| item.needs.contains(&above))
    };
    state.items.iter().filter(is_below).collect()
}

/// What must hold of the state that an event about items meets.
pub(super) fn assert_addition_fits(before: &GoalState, event: &Event) {
    match event {
        Event::ItemStarted { item, .. } => {
            let below = below_needs(before, before.item(*item).unwrap());
            assert!(below.iter().all(|below| below.status.is_settled()), "it starts before what was added");
        }
        Event::ItemCreated { item } => {
            let above = item.added_by.map(|above| before.item(above).unwrap().status);
            assert!(above.is_none_or(|status| status == ItemStatus::Done), "added by what is not done");
        }
        _ => {}
    }
}

/// What runs add is within the limits, each of it is there once, and nothing of it before its parent was done.
pub(super) fn assert_added(state: &GoalState) {
    let added: Vec<&Item> = state.items.iter().filter(|item| item.added_by.is_some()).collect();
    assert!(added.len() + state.to_come().count() <= state.added_max() as usize, "too many are added");
    for item in &added {
        assert!((1..=ADDED_DEPTH_MAX).contains(&state.added_depth(item)), "{} is too deep", item.key);
        let parent = item.added_by.and_then(|parent| state.item(parent)).unwrap();
        assert!(item.needs.contains(&parent.id) && parent.is_agent());
    }
    let keys: BTreeSet<&str> = state.items.iter().map(|item| item.key.as_str()).collect();
    assert_eq!(keys.len(), state.items.len(), "a key is there twice");
    let ids: BTreeSet<ItemId> = state.items.iter().map(|item| item.id).collect();
    assert_eq!(ids.len(), state.items.len(), "an item is there twice");
}
