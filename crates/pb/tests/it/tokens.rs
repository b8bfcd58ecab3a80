//! `pb gateway pair|tokens|revoke`, as a person types them.

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn a_token_is_made_listed_and_taken_back() {
    let env = TestEnv::new();
    env.start_daemons();
    assert_snapshot!("tokens_none", env.pb(["gateway", "tokens"]));
    let made =
        env.pb(["gateway", "pair", "--name", "手机", "--permissions", "approve", "--expires", "2099-12-31"]);
    assert_eq!(made.exit, Some(0), "{made}");
    let secret = made.raw_stdout.trim().to_owned();
    assert_eq!(secret.len(), 64, "the secret alone, for scripts: {made}");
    let list = env.json(["gateway", "tokens", "--json"]);
    let token = &list["tokens"][0];
    let id = token["id"].as_str().unwrap();
    let masked = |text: String| text.replace(id, "[token]").replace(&secret, "[secret]");
    assert_snapshot!("tokens_made", masked(made.to_string()));
    assert_snapshot!("tokens_list", masked(env.pb(["gateway", "tokens"]).to_string()));
    assert!(!list.to_string().contains(&secret));
    assert_snapshot!("tokens_revoked", masked(env.pb(["gateway", "revoke", "手机"]).to_string()));
    assert_snapshot!("tokens_revoked_again", masked(env.pb(["gateway", "revoke", &id[..8]]).to_string()));
    assert_eq!(env.json(["gateway", "tokens", "--json"])["tokens"][0]["status"], "revoked");
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let env = TestEnv::new();
    env.start_daemons();
    for name in ["a", "a"] {
        assert_eq!(env.pb(["gateway", "pair", "--name", name]).exit, Some(0));
    }
    assert_snapshot!("tokens_unknown", env.pb(["gateway", "revoke", "nobody"]));
    assert_eq!(env.pb(["gateway", "revoke", "a"]).exit, Some(64), "two have this name");
    assert_snapshot!(
        "tokens_bad_permission",
        env.pb(["gateway", "pair", "--name", "x", "--permissions", "read,root"])
    );
    assert_snapshot!("tokens_bad_expiry", env.pb(["gateway", "pair", "--name", "x", "--expires", "soon"]));
}
