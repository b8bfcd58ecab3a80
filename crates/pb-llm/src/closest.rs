//! The name that somebody meant.

/// The name that takes the fewest changes, if it is not a different word altogether.
pub(crate) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let measured = names.map(|known| {
        let whole: Vec<char> = known.to_lowercase().chars().collect();
        // People leave the provider out.
        let bare = whole.iter().position(|c| *c == '/').map_or(&whole[..0], |at| whole.split_at(at + 1).1);
        let distance =
            distance(&wanted, &whole).min(if bare.is_empty() { usize::MAX } else { distance(&wanted, bare) });
        (distance, known)
    });
    let (distance, known) = measured.min_by_key(|(distance, _)| *distance)?;
    (distance <= wanted.len() / 2).then_some(known)
}

/// How many characters have to be added, removed or exchanged (Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        let mut left = i + 1;
        for (b, pair) in to.iter().zip(row.windows(2)) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => continue,
            };
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let names = ["ollama/qwen2.5:3b", "anthropic/claude-opus-4-5", "自家/大模型"];
        for (name, expect) in [
            ("ollama/qwen2.5:7b", Some("ollama/qwen2.5:3b")),
            ("antropic/claude-opus-4.5", Some("anthropic/claude-opus-4-5")),
            ("Claude-Opus-45", Some("anthropic/claude-opus-4-5")),
            ("自家/大型", Some("自家/大模型")),
            ("llama", None),
            ("", None),
        ] {
            assert_eq!(closest(name, names.iter().copied()), expect, "{name}");
        }
        assert_eq!(distance(&[], &['a']), 1);
        assert_eq!(distance(&['a', 'b', 'c'], &['a', 'c']), 1);
    }
}
