//! A goal's plan as a specification again.

use std::collections::BTreeMap;

use super::state::{GoalState, Item};
use crate::ItemId;
use crate::spec::{GoalSpec, ItemSpec};

impl GoalState {
    /// What was asked together with the plan that was made of it: a goal to ask for as it is. Titles and
    /// retries that would be the same by default are left out. A goal without a plan yet has no items.
    pub fn plan_spec(&self) -> GoalSpec {
        let mut spec = self.goal.spec.clone();
        spec.plan_only = false;
        // Until the plan is made, the items that the goal brought are in its specification.
        if !self.items.is_empty() {
            let keys: BTreeMap<ItemId, &str> =
                self.items.iter().map(|item| (item.id, item.key.as_str())).collect();
            spec.items = self.items.iter().map(|item| item_spec(item, &keys)).collect();
        }
        spec
    }
}

fn item_spec(item: &Item, keys: &BTreeMap<ItemId, &str>) -> ItemSpec {
    let mut spec = ItemSpec {
        id: item.key.clone(),
        title: (item.title != item.key).then(|| item.title.clone()),
        description: item.description.clone(),
        needs: item.needs.iter().filter_map(|need| keys.get(need)).map(|key| (*key).to_owned()).collect(),
        lane: item.lane,
        max_retries: None,
        work: item.work.clone(),
        gates: item.gates.clone(),
    };
    if spec.retries() != item.max_retries {
        spec.max_retries = Some(item.max_retries);
    }
    spec
}
