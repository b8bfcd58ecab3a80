//! A goal's plan as a specification again.

use super::state::{GoalState, Item};
use crate::ItemId;
use crate::spec::{GoalSpec, ItemSpec};

impl GoalState {
    /// What was asked together with the plan that was made of it: a goal to ask for as it is. Titles and
    /// retries that would be the same by default are left out, and so are items that runs added: they may be
    /// added again. A goal without a plan yet has no items.
    pub fn plan_spec(&self) -> GoalSpec {
        let mut spec = self.goal.spec.clone();
        spec.plan_only = false;
        // Until the plan is made, the items that the goal brought are in its specification.
        if !self.items.is_empty() {
            let of_plan = self.items.iter().filter(|item| item.added_by.is_none());
            spec.items = of_plan.map(|item| item_spec(item, |need| self.planned_above(need))).collect();
        }
        spec
    }

    /// Every item as a specification, those that runs added too.
    pub fn item_specs(&self) -> Vec<ItemSpec> {
        self.items.iter().map(|item| item_spec(item, |need| self.item(need))).collect()
    }

    /// The item of the plan below which this one was added, or itself.
    fn planned_above(&self, item: ItemId) -> Option<&Item> {
        let item = self.item(item)?;
        match item.added_by {
            Some(above) => self.planned_above(above),
            None => Some(item),
        }
    }
}

fn item_spec<'a>(item: &Item, need: impl Fn(ItemId) -> Option<&'a Item>) -> ItemSpec {
    let mut needs: Vec<String> = Vec::new();
    for needed in item.needs.iter().filter_map(|id| need(*id)) {
        if !needs.contains(&needed.key) {
            needs.push(needed.key.clone());
        }
    }
    let mut spec = ItemSpec {
        id: item.key.clone(),
        title: (item.title != item.key).then(|| item.title.clone()),
        description: item.description.clone(),
        needs,
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
