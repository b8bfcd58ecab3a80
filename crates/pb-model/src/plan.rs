//! A plan is a directed acyclic graph of work items.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::{Invalid, ItemSpec};

/// Orders a plan: waves of item indices, each wave needing only earlier ones; file order inside
/// a wave.
///
/// # Errors
/// A repeated id, an unknown or doubled need, or a cycle (which is spelled out).
pub fn order(items: &[ItemSpec]) -> Result<Vec<Vec<usize>>, Invalid> {
    let mut index_of = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        if index_of.insert(item.id.as_str(), index).is_some() {
            let problem = format!("an earlier item has the id `{}`", item.id);
            return Err(Invalid::new(format!("items[{index}].id"), problem).hint("ids are unique in a goal"));
        }
    }
    let mut needs = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        needs.push(resolve_needs(index, item, &index_of)?);
    }

    let mut waves: Vec<Vec<usize>> = Vec::new();
    let mut placed = BTreeSet::new();
    while placed.len() < items.len() {
        let wave: Vec<usize> = (0..items.len())
            .filter(|i| !placed.contains(i) && needs.get(*i).is_some_and(|n| n.is_subset(&placed)))
            .collect();
        if wave.is_empty() {
            return Err(cycle(items, &needs, &placed));
        }
        placed.extend(&wave);
        waves.push(wave);
    }
    Ok(waves)
}

fn resolve_needs(
    index: usize,
    item: &ItemSpec,
    index_of: &BTreeMap<&str, usize>,
) -> Result<BTreeSet<usize>, Invalid> {
    let mut found = BTreeSet::new();
    for (n, need) in item.needs.iter().enumerate() {
        let place = format!("items[{index}].needs[{n}]");
        match index_of.get(need.as_str()) {
            Some(other) if !found.insert(*other) => {
                return Err(Invalid::new(place, format!("`{need}` is named twice")));
            }
            Some(_) => {}
            None => {
                let known = index_of.keys().copied().collect::<Vec<_>>();
                let invalid = Invalid::new(place, format!("no item has the id `{need}`"));
                return Err(match closest(need, &known) {
                    Some(near) => invalid.hint(format!("did you mean `{near}`?")),
                    None => invalid.hint(format!("known ids: {}", known.join(", "))),
                });
            }
        }
    }
    Ok(found)
}

/// Walks back along unplaced needs until an item repeats: that loop is the cycle.
fn cycle(items: &[ItemSpec], needs: &[BTreeSet<usize>], placed: &BTreeSet<usize>) -> Invalid {
    let mut path: Vec<usize> = Vec::new();
    let mut at = (0..items.len()).find(|i| !placed.contains(i)).unwrap_or_default();
    while !path.contains(&at) {
        path.push(at);
        at = needs.get(at).and_then(|n| n.iter().find(|i| !placed.contains(i))).copied().unwrap_or(at);
    }
    let start = path.iter().position(|i| *i == at).unwrap_or_default();
    let key = |i: &usize| items.get(*i).map_or("?", |item| item.id.as_str());
    let mut names: Vec<&str> = path.iter().skip(start).map(key).collect();
    names.push(key(&at));
    Invalid::new(
        format!("items[{at}].needs"),
        format!("the items need each other in a circle: {}", names.join(" -> ")),
    )
    .hint("remove one of these needs")
}

/// Longest word that is compared, in characters. The comparison takes the product of both lengths.
const COMPARED_CHARS_MAX: usize = 64;

/// The candidate that is close enough to `word` to be meant, if any (Levenshtein distance up to
/// a third of the word's length). Longer words than an id may be are not compared.
pub fn closest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let length = length(word)?;
    let limit = length.div_ceil(3);
    candidates
        .iter()
        .filter(|candidate| self::length(candidate).is_some_and(|other| other.abs_diff(length) <= limit))
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The length in characters of a word that is short enough to be compared.
fn length(word: &str) -> Option<usize> {
    let length = word.chars().take(COMPARED_CHARS_MAX + 1).count();
    (length <= COMPARED_CHARS_MAX).then_some(length)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let swap = row.get(j).copied().unwrap_or(0) + usize::from(ca != *cb);
            let insert = next.last().copied().unwrap_or(0) + 1;
            let delete = row.get(j + 1).copied().unwrap_or(0) + 1;
            next.push(swap.min(insert).min(delete));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{CommandSpec, Effect, Lane, Work};

    fn item(id: &str, needs: &[&str]) -> ItemSpec {
        ItemSpec {
            id: id.to_owned(),
            title: None,
            description: String::new(),
            needs: needs.iter().map(|n| (*n).to_owned()).collect(),
            lane: Lane::Main,
            max_retries: None,
            work: Work::Command(CommandSpec {
                argv: vec!["true".to_owned()],
                cwd: None,
                env: BTreeMap::new(),
                time_limit_s: None,
                effect: Effect::Unsafe,
                tcp_ports: Vec::new(),
            }),
            gates: Vec::new(),
        }
    }

    fn check(items: &[ItemSpec], expect: &str) {
        let got = match order(items) {
            Ok(waves) => format!("{waves:?}"),
            Err(invalid) => format!("{invalid} / {}", invalid.hint.clone().unwrap_or_default()),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn a_diamond_is_three_waves() {
        check(
            &[item("d", &["b", "c"]), item("b", &["a"]), item("c", &["a"]), item("a", &[])],
            "[[3], [1, 2], [0]]",
        );
    }

    #[test]
    fn only_words_of_like_length_are_compared() {
        let long = "x".repeat(COMPARED_CHARS_MAX);
        let longer = "x".repeat(COMPARED_CHARS_MAX + 1);
        assert_eq!(closest("计书", &["计数", "计数计数计数"]), Some("计数"));
        assert_eq!(closest(&long, &[&long]), Some(long.as_str()));
        assert_eq!(closest(&long, &[&longer]), None);
        assert_eq!(closest(&longer, &[&longer]), None);
        assert_eq!(closest("", &["", "a"]), Some(""));
    }

    #[test]
    fn what_is_wrong_is_named() {
        check(
            &[item("a", &[]), item("a", &[])],
            "items[1].id: an earlier item has the id `a` / ids are unique in a goal",
        );
        check(
            &[item("build", &[]), item("test", &["biuld"])],
            "items[1].needs[0]: no item has the id `biuld` / did you mean `build`?",
        );
        check(
            &[item("a", &["b"]), item("b", &["c"]), item("c", &["b"])],
            "items[1].needs: the items need each other in a circle: b -> c -> b / remove one of these needs",
        );
        check(
            &[item("a", &["a"])],
            "items[0].needs: the items need each other in a circle: a -> a / remove one of these needs",
        );
    }
}
