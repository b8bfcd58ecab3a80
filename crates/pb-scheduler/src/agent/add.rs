//! Items that an agent adds to its goal while it works: their form, and everything that is wrong with them.

use futures_util::future::BoxFuture;
use pb_model::goal::{ADD_ITEMS, Addition, GoalState, Item, Run, inherited};
use pb_model::goal_file;
use pb_model::spec::{Effect, GoalSpec, ItemSpec};
use pb_tools::{Output, Scope, ToolError, TypedTool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::plan::{DraftItem, Problems, drafted};

/// The tool by which an agent adds items. It is never called: [`check`] is.
#[derive(Debug)]
pub(super) struct AddItems;

impl TypedTool for AddItems {
    type Arguments = Draft;

    const NAME: &'static str = ADD_ITEMS;
    const DESCRIPTION: &'static str = "Adds work items to the goal. They are done after your own item, each by a worker that sees the goal, what \
         you say when you finish, and its own prompt; what needs your item waits for them. They are allowed no \
         more than you are. If something is wrong with one, the problems are the result, and none is added. \
         If your attempt comes to nothing, so do they.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(draft: &Draft) -> String {
        draft.items.iter().map(|item| item.id.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn run<'a>(&'a self, _: Draft, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Err(ToolError::Host("items are not added by running a tool".to_owned())) })
    }
}

/// What is added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// The work items, in any order; `needs` may name those that you add or added before.
    items: Vec<DraftItem>,
}

/// The item of a run that may add others.
pub(super) fn adder<'a>(state: &'a GoalState, run: &Run) -> Option<&'a Item> {
    run.item_id.and_then(|item| state.item(item)).filter(|item| state.may_add_items(item))
}

/// The items that hold, as they will be, or everything that is wrong with them, for the model. `earlier` are those
/// that the run added and that are not committed yet.
pub(super) fn check(
    arguments: &Value,
    (state, run, parent): (&GoalState, &Run, &Item),
    earlier: &[Addition],
) -> Result<Vec<ItemSpec>, String> {
    let draft: Draft = pb_tools::parse_arguments(arguments)
        .map_err(|reason| format!("the items were not understood: {reason}"))?;
    let mut problems = Problems::of("nothing is added");
    if draft.items.is_empty() {
        problems.add("items", "there is none");
    }
    let mut items = drafted(draft.items, &mut problems);
    // That they come after it needs no saying.
    for item in &mut items {
        item.needs.retain(|need| *need != parent.key);
    }
    // Each by itself; what they are to each other comes after.
    let alone = |item: &ItemSpec| ItemSpec { needs: Vec::new(), ..item.clone() };
    let bare = GoalSpec::in_words("goal", "goal");
    let spec = GoalSpec { items: items.iter().map(alone).collect(), ..bare };
    problems.extend(goal_file::spec_problems(&spec));
    problems.extend(state.addition_problems(run, earlier, &items));
    problems.or(items.into_iter().map(|item| inherited(parent, item)).collect())
}

/// What the model is told when they were added.
pub(super) fn told(items: &[ItemSpec]) -> String {
    let keys: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
    let count = keys.len();
    format!("added {count} item(s): {}. They start once your own is done; go on with it.", keys.join(", "))
}

#[cfg(test)]
mod tests;
