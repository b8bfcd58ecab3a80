//! How many tokens a model takes in at once: what the settings say, else what is known of it.

use std::collections::BTreeMap;

use crate::prices::undated;

/// Of a hosted model that nobody has said it of, in tokens.
pub const HOSTED_TOKENS: u64 = 128_000;
/// Of a model on this machine that nobody has said it of, in tokens.
pub const LOCAL_TOKENS: u64 = 32_768;

/// Beginnings of names, and how many tokens such models take in, request and answer together. As of March
/// 2026; `[context_tokens]` in config.toml wins.
const KNOWN: [(&str, u64); 7] = [
    ("anthropic/claude-", 200_000),
    ("openai/gpt-5", 272_000),
    ("openai/gpt-4.1", 1_000_000),
    ("openai/gpt-4o", 128_000),
    ("openai/o3", 200_000),
    ("openai/o4-mini", 200_000),
    ("gemini/gemini-2.5-", 1_000_000),
];

/// How many tokens models take in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Windows(BTreeMap<String, u64>);

impl Windows {
    /// What is known, under these settings.
    pub(crate) fn new(settings: &BTreeMap<String, u64>) -> Self {
        Self(settings.clone())
    }

    /// How many tokens `provider/model` takes in. Dates at the end of the name do not matter.
    pub(crate) fn of(&self, model: &str, is_local: bool) -> u64 {
        let set = self.0.get(model).or_else(|| self.0.get(undated(model))).copied();
        let known = || KNOWN.iter().find(|(name, _)| model.starts_with(name)).map(|(_, tokens)| *tokens);
        set.or_else(known).unwrap_or(if is_local { LOCAL_TOKENS } else { HOSTED_TOKENS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_win_over_what_is_known_and_what_is_known_over_guesses() {
        let set = [("自家/小", 8_000), ("openai/gpt-5", 100_000)];
        let windows = Windows::new(&set.map(|(name, tokens)| (name.to_owned(), tokens)).into());
        for (model, is_local, expect) in [
            ("自家/小", true, 8_000),
            ("自家/大", false, HOSTED_TOKENS),
            ("ollama/qwen2.5:3b", true, LOCAL_TOKENS),
            ("openai/gpt-5-2025-08-07", false, 100_000),
            ("openai/gpt-5-mini", false, 272_000),
            ("anthropic/claude-haiku-4-5-20251001", false, 200_000),
        ] {
            assert_eq!(windows.of(model, is_local), expect, "{model}");
        }
    }
}
