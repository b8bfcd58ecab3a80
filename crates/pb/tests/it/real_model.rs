//! `pb models` with a real server. `cargo xtask real-model` serves it; without it this is skipped and says so.

use pb_runtime::environment;
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::tools::skipped;

/// A person whose settings name the real model, and its name there.
fn person() -> Option<(TestEnv, String)> {
    let Some(url) = environment::text("PB_REAL_MODEL_URL") else {
        skipped("there is no real model; run: cargo xtask real-model test");
        return None;
    };
    let model = environment::text("PB_REAL_MODEL_NAME").unwrap();
    let env = TestEnv::new();
    std::fs::create_dir(env.home()).unwrap();
    let settings = format!(
        "[providers.real]\nkind = 'openai'\nbase_url = '{url}'\n[models]\nmedium = 'real/{model}'\n\
         [prices.'real/{model}']\ninput = 1\noutput = 2\n"
    );
    std::fs::write(env.home().join("config.toml"), settings).unwrap();
    Some((env, format!("real/{model}")))
}

#[test]
fn the_real_model_is_listed_and_answers() {
    let Some((env, model)) = person() else { return };
    assert_eq!(
        env.json(["models", "list", "--json"]),
        json!({"models": [{
            "name": model,
            "tiers": ["simple", "medium", "complex"],
            "price": {"input": 1.0, "output": 2.0},
            "contextTokens": 128_000,
            "source": "config",
            "key": null,
            "keyIsMissing": false,
        }]})
    );

    let ran = env.pb(["models", "test"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let (asking, text) = ran.raw_stderr.split_once('\n').unwrap();
    assert_eq!(asking, format!("asking {model}"));
    assert!(!text.trim().is_empty(), "its words are seen as they come: {ran}");
    assert!(ran.stdout.starts_with(&format!("{model} answers: first word after [time]")), "{ran}");

    let told = env.json(["models", "test", &model, "--json"]);
    let number = |key: &str| told[key].as_f64().unwrap_or_else(|| panic!("{key} in {told}"));
    assert_eq!((&told["model"], told["text"].is_string()), (&Value::from(model), true), "{told}");
    // A million tokens cost 1 dollar in and 2 out.
    let cost = (number("inputTokens") + 2.0 * number("outputTokens")) / 1e6;
    assert!((number("costUsd") - cost).abs() < 1e-9, "{told}");
    assert!(0.0 < number("firstMs") && number("firstMs") <= number("totalMs"), "{told}");
}
