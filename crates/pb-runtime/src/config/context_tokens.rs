//! How many tokens models take in at once.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// Fewest tokens that a model may take in: less holds no task, nor an answer.
pub const CONTEXT_TOKENS_MIN: u64 = 2_048;
/// Most tokens that a model may take in.
pub const CONTEXT_TOKENS_MAX: u64 = 100_000_000;

/// Tokens by `provider/model`, each within the limits.
pub(super) fn context_tokens<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, u64>, D::Error> {
    let set = BTreeMap::<String, u64>::deserialize(deserializer)?;
    match set.values().find(|tokens| !(CONTEXT_TOKENS_MIN..=CONTEXT_TOKENS_MAX).contains(tokens)) {
        None => Ok(set),
        Some(wrong) => Err(D::Error::custom(format!(
            "a model takes in {CONTEXT_TOKENS_MIN} to {CONTEXT_TOKENS_MAX} tokens, not {wrong}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn a_window_is_neither_tiny_nor_senseless() {
        let read = |text: &str| toml::from_str::<Config>(text).map_err(|error| error.message().to_owned());
        let set = read("[context_tokens]\n'自家/小' = 8192\n'b/c' = 2048").unwrap().context_tokens;
        assert_eq!(set.values().copied().collect::<Vec<_>>(), [2048, 8192]);
        assert!(read("").unwrap().context_tokens.is_empty());
        let error = read("[context_tokens]\n'a/b' = 2047").unwrap_err();
        assert_eq!(error, "a model takes in 2048 to 100000000 tokens, not 2047");
        assert!(read("[context_tokens]\n'a/b' = -1").is_err());
    }
}
