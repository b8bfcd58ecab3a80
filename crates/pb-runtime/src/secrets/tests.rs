use proptest::prelude::*;

use super::*;

#[test]
fn what_looks_like_a_key_is_not_shown_and_the_rest_is() {
    for (text, expect) in [
        ("Incorrect API key provided: sk-ab***********************wxyz.", "Incorrect API key provided: [x]"),
        ("{\"key\":\"AIzaSyA-1234567890\"}", "{\"key\":\"[x]\"}"),
        ("Authorization: Bearer abcdefghijkl", "Authorization: Bearer [x]"),
        ("\"authorization\": \"bearer ab+/cd==efgh\", next", "\"authorization\": \"bearer [x]\", next"),
        ("Basic dXNlcjpwYXNz then", "Basic [x] then"),
        ("x=0123456789abcdef0123456789abcdef0123456789abcdef;", "x=[x];"),
        ("https://me:p4ss:w@host/path?x=1@2", "https://me:[x]@host/path?x=1@2"),
        ("a\\nghp_0123456789abcdef\\nb", "a\\n[x]\\nb"),
        ("a\\u0009xoxb-0123456789abcdef", "a\\u0009[x]"),
        ("C:\\sk-0123456789abcdef", "C:\\[x]"),
        (
            "\u{1b}[2mkey\u{1b}[0m=\u{1b}[38;5;1msk-0123456789abcdef",
            "\u{1b}[2mkey\u{1b}[0m=\u{1b}[38;5;1m[x]",
        ),
        ("{\"m\":\"\\u001b[31msk-0123456789abcdef\\u001b[0m\"}", "{\"m\":\"\\u001b[31m[x]\\u001b[0m\"}"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nxyz=\n-----END RSA PRIVATE KEY-----\nafter", "[x]\nafter"),
        ("{\"m\":\"-----BEGIN PRIVATE KEY-----\\nMIIE\\nxy\",\"n\":1}", "{\"m\":\"[x]\",\"n\":1}"),
        ("key-----BEGIN PRIVATE KEY-----\nMIIE", "key[x]"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[x]"),
        // Not keys.
        ("request req_011CSHoEeqs5C35K2UUqR7Fy", "request req_011CSHoEeqs5C35K2UUqR7Fy"),
        ("id 0197d1a2-1111-7222-8333-444455556666", "id 0197d1a2-1111-7222-8333-444455556666"),
        ("goal_0123456789abcdef0123456789abcdef", "goal_0123456789abcdef0123456789abcdef"),
        ("model claude-sonnet-4-5-20250929 不存在", "model claude-sonnet-4-5-20250929 不存在"),
        (
            "a basic example; the bearer of this; ask-questions-later",
            "a basic example; the bearer of this; ask-questions-later",
        ),
        ("https://host:8080/a@b and http://[::1]:80", "https://host:8080/a@b and http://[::1]:80"),
        ("-----BEGIN CERTIFICATE-----\nMIIE", "-----BEGIN CERTIFICATE-----\nMIIE"),
        ("", ""),
    ] {
        assert_eq!(without_keys(text, "[x]"), expect, "{text}");
    }
}

#[test]
fn variables_are_secrets_by_their_names() {
    for (name, value, expect) in [
        ("OPENAI_API_KEY", "geheimnis", true),
        ("github_token", "geheimnis", true),
        ("PGPASSWORD", "geheimnis", true),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json", false),
        ("PATH", "geheimnis", false),
        ("KEYBOARD", "us-intl-alt", false),
    ] {
        assert_eq!(is_secret(name, value), expect, "{name}");
    }
}

#[test]
fn what_is_held_is_not_shown_in_any_form() {
    let secret = "tesse\"rakt\n密/42";
    hold(secret);
    hold("short");
    for text in [
        format!("it is {secret}!"),
        format!("it is {}!", serde_json::to_string(secret).unwrap()),
        format!("it is {secret:?}!"),
        serde_json::to_string(&format!("it is {secret:?}!")).unwrap(),
        "it is tesse%22rakt%0A%E5%AF%86%2F42!".to_owned(),
    ] {
        let shown = redacted(&text);
        assert!(shown.contains("it is ") && shown.contains(REDACTED), "{shown}");
        assert!(!shown.contains("rakt"), "{shown}");
    }
    assert_eq!(redacted("short"), "short");
}

/// A made-up key of a known form.
fn key() -> impl Strategy<Value = String> {
    let prefixed = (proptest::sample::select(PREFIXES.to_vec()), "[A-Za-z0-9_-]{12,60}")
        .prop_map(|(prefix, rest)| format!("{prefix}{rest}"));
    prop_oneof![
        prefixed,
        "[0-9a-f]{64}".prop_filter("it has letters and digits", |text| {
            text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_alphabetic())
        })
    ]
}

/// What stands before or after a key: no letter that would make it another word.
fn around() -> impl Strategy<Value = String> {
    ("[ -~äß中\n\u{1b}]{0,40}", "[ =:,;\"'(){}<>\n\t/|\u{1b}]")
        .prop_map(|(text, edge)| format!("{text}{edge}"))
}

proptest! {
    // What is held is held for the life of the process.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_secret_that_is_held_survives(before in ".{0,40}", secret in "[!-~密 ]{8,40}", after in ".{0,40}") {
        hold(&secret);
        let message = format!("{before}{secret}{after}");
        for text in [message.clone(), serde_json::json!({"message": message}).to_string(), format!("{message:?}")] {
            let shown = redacted(&text);
            let plain: String = serde_json::from_str::<serde_json::Value>(&shown)
                .ok()
                .and_then(|line| Some(line.get("message")?.as_str()?.to_owned()))
                .unwrap_or_else(|| shown.clone());
            prop_assert!(!shown.contains(&secret) && !plain.contains(&secret), "{text} became {shown}");
        }
    }
}

proptest! {
    #[test]
    fn no_key_that_is_planted_survives(before in around(), key in key(), edge in "[ =:,;\"'(){}<>\n\t/|]", after in ".{0,40}") {
        let message = format!("{before}{key}{edge}{after}");
        let line = serde_json::json!({"message": message, "n": 1}).to_string();
        for text in [message.clone(), line.clone(), format!("{message:?}")] {
            let shown = redacted(&text);
            prop_assert!(!shown.contains(&key), "{text} became {shown}");
        }
        // What was JSON still is.
        let shown: serde_json::Value = serde_json::from_str(&redacted(&line)).unwrap();
        prop_assert_eq!(&shown["n"], 1);
    }

    #[test]
    fn a_text_without_keys_stays_as_it_is(text in "[a-zA-Z ,;:()äß中\n]{0,200}") {
        prop_assume!(!text.to_lowercase().contains("bearer") && !text.to_lowercase().contains("basic"));
        prop_assume!(text.split(|c: char| !c.is_ascii_alphanumeric()).all(|word| word.len() < KEY_BYTES_MIN));
        prop_assert_eq!(without_keys(&text, "[x]"), text);
    }
}
