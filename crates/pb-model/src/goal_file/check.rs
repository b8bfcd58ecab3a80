//! Everything that [`GoalSpec::validate`] refuses, not only the first of it.

use crate::plan;
use crate::spec::{GoalSpec, ITEMS_MAX, Invalid};

/// The problems of a specification: the first of the goal's own part, the first of each item, and
/// the first of the plan's shape. `skip` tells which item (`None`: the goal itself) was not read
/// completely; if one was not, the shape is unknown too.
pub(super) fn problems(spec: &GoalSpec, skip: impl Fn(Option<usize>) -> bool) -> Vec<Invalid> {
    let mut found = Vec::new();
    if !skip(None) {
        let bare = GoalSpec { items: Vec::new(), ..spec.clone() };
        found.extend(bare.validate().err());
    }
    let mut frame = frame();
    if spec.items.len() > ITEMS_MAX {
        frame.items.clone_from(&spec.items);
        found.extend(frame.validate().err());
        return found;
    }
    for (n, item) in spec.items.iter().enumerate().filter(|(n, _)| !skip(Some(*n))) {
        let mut alone = item.clone();
        alone.needs.clear();
        frame.items = vec![alone];
        found.extend(frame.validate().err().map(|invalid| renumbered(invalid, n)));
    }
    let all_read = (0..spec.items.len()).all(|n| !skip(Some(n)));
    if all_read {
        found.extend(plan::order(&spec.items).err());
    }
    found
}

/// A valid goal to put an item into, so that only the item is judged.
fn frame() -> GoalSpec {
    GoalSpec::in_words("goal", "goal")
}

fn renumbered(mut invalid: Invalid, n: usize) -> Invalid {
    if let Some(rest) = invalid.place.strip_prefix("items[0]") {
        invalid.place = format!("items[{n}]{rest}");
    }
    invalid
}

/// Refuses a path that cannot name a folder.
pub(super) fn path(place: &str, path: &str) -> Result<(), Invalid> {
    if path.is_empty() {
        return Err(Invalid::new(place, "a path is not empty").hint("write \".\" for the folder itself"));
    }
    if path.contains('\0') {
        return Err(Invalid::new(place, "a path has no NUL byte"));
    }
    // Shells leave `--set repo=~/x` as it is, and nobody wants a folder called `~`.
    if path == "~" || path.starts_with("~/") {
        return Err(Invalid::new(place, format!("`{path}`: `~` is not expanded"))
            .hint("write the whole path, or \"$HOME/…\" in a shell"));
    }
    Ok(())
}
