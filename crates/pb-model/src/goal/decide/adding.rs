//! Items that a run adds (`goal/adding.rs`): kept with the run, and made items when its own is done.

use super::{Decision, intake};
use crate::goal::adding::Addition;
use crate::goal::command::Rejection;
use crate::goal::event::Event;
use crate::goal::state::{Item, Run};
use crate::spec::ItemSpec;
use crate::{ItemId, RunId};

/// The run adds items; whether their keys hold was looked at where they came in.
pub(super) fn add(
    decision: &mut Decision,
    item: Option<&Item>,
    run: &Run,
    items: Vec<Addition>,
) -> Result<(), Rejection> {
    let item = item.ok_or(Rejection::NotNow("only the run of an item adds items"))?;
    let specs: Vec<&ItemSpec> = items.iter().map(|addition| &addition.spec).collect();
    if decision.state.refuses_additions(item, &specs).is_some() {
        return Err(Rejection::NotNow("the run may not add these items"));
    }
    decision.emit(Event::ItemsAdded { item: item.id, run: run.id, items });
    Ok(())
}

/// The item is done: what this run of it added are items from now on. When a person said meanwhile that only
/// what is done is wanted, they are left out at once.
pub(super) fn create(decision: &mut Decision, parent: ItemId, run: RunId) {
    let Some(run) = decision.state.run(run).filter(|run| !run.added.is_empty()).cloned() else { return };
    let left_out = decision.state.finished_since(&run).map(str::to_owned);
    for addition in &run.added {
        if decision.state.item(addition.id).is_some() {
            continue; // After the last look an item may be done once more.
        }
        let siblings = run.added.iter().filter(|other| addition.spec.needs.contains(&other.spec.id));
        let needs = std::iter::once(parent).chain(siblings.map(|other| other.id)).collect();
        let spec = ItemSpec { id: free_key(decision, &addition.spec.id), ..addition.spec.clone() };
        intake::create_item(decision, &spec, (addition.id, needs), Some(parent));
        if let Some(by) = left_out.clone() {
            decision.emit(Event::ItemSkipped { item: addition.id, by });
        }
    }
}

/// The key, or one like it: another plan may have taken it in the meantime.
fn free_key(decision: &Decision, key: &str) -> String {
    let is_taken = |key: &str| decision.state.items.iter().any(|item| item.key == key);
    let more = (2_u32..).map(|n| format!("{key}-{n}"));
    std::iter::once(key.to_owned()).chain(more).find(|key| !is_taken(key)).unwrap_or_default()
}
