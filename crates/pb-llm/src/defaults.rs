//! Which models of a hosted provider do the work of each tier when nobody has said; chosen in
//! March 2026 and meant to be changed with the list of prices.

use pb_model::Tier;

/// The model of a hosted provider for a tier.
pub(crate) fn model(provider: &str, tier: Tier) -> Option<&'static str> {
    let (simple, medium, complex) = match provider {
        "anthropic" => ("claude-haiku-4-5", "claude-sonnet-4-5", "claude-opus-4-5"),
        "openai" => ("gpt-5-mini", "gpt-5", "gpt-5"),
        "gemini" => ("gemini-2.5-flash", "gemini-2.5-flash", "gemini-2.5-pro"),
        _ => return None,
    };
    Some(match tier {
        Tier::Simple => simple,
        Tier::Medium => medium,
        Tier::Complex => complex,
    })
}
