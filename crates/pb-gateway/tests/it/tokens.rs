//! Access tokens: what they allow, that they end at once, and that guessing them is slow (`security.md` 5-7).

use pb_protocol::methods::METHODS;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Client, Running, Sse, TestHome, dial, get, goal_params};

/// Makes a token; its secret and its id.
async fn make(admin: &mut Client, permissions: Value, more: Value) -> (String, String) {
    let mut params = json!({"name": "手机", "permissions": permissions});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = admin.call("token.create", params).await.unwrap();
    (made["secret"].as_str().unwrap().to_owned(), made["token"]["id"].as_str().unwrap().to_owned())
}

async fn come(gateway: &Running, secret: &str) -> Client {
    dial(gateway.address, "/", &[("Authorization", &format!("Bearer {secret}"))]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_06_a_token_allows_what_it_says_and_makes_no_wider_one() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let goal = json!({"goalId": "goal_00000000000000000000000000000001"});
    let answer = json!({"escalationId": "esc_00000000000000000000000000000001", "action": "retry"});
    let yes = json!({"approvalId": "esc_00000000000000000000000000000001"});
    let calls = [
        ("goal.list", json!({})),
        ("goal.submit", goal_params("mine")),
        ("goal.cancel", goal),
        ("escalation.respond", answer),
        ("approval.grant", yes.clone()),
        ("approval.reject", yes),
        ("token.list", json!({})),
        ("token.create", json!({"name": "x", "permissions": ["admin"]})),
    ];
    let mut allowed = Vec::new();
    for permissions in [json!([]), json!(["write"]), json!(["approve"]), json!(["admin"])] {
        let (secret, id) = make(&mut admin, permissions.clone(), json!({})).await;
        let mut client = come(&gateway, &secret).await;
        let mut may = Vec::new();
        for (method, params) in &calls {
            let denied =
                client.call(method, params.clone()).await.is_err_and(|error| error["code"] == -32004);
            may.extend((!denied).then_some(*method));
        }
        allowed.push(format!("{}: {}", client.greeting["data"]["permissions"], may.join(" ")));
        assert!(id.len() == 32 && secret.len() == 64);
    }
    insta::assert_snapshot!(allowed.join("\n"), @r#"
    ["read"]: goal.list
    ["read","write"]: goal.list goal.submit goal.cancel escalation.respond
    ["read","approve"]: goal.list escalation.respond approval.grant approval.reject
    ["read","admin"]: goal.list goal.submit goal.cancel escalation.respond approval.grant approval.reject token.list token.create
    "#);
    let (secret, _) = make(&mut admin, json!(["write"]), json!({})).await;
    let error = come(&gateway, &secret).await.call("token.list", json!({})).await.unwrap_err();
    insta::assert_snapshot!(error, @r#"{"code":-32004,"message":"Permission denied: requires 'admin'","data":{"hint":"this access token does not allow it; `pb gateway pair --permissions` makes another"}}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_07_a_revoked_token_closes_its_connections() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let (secret, id) = make(&mut admin, json!(["write"]), json!({})).await;
    let (other, _) = make(&mut admin, json!([]), json!({})).await;
    let bearer = format!("Bearer {secret}");
    let mut client = come(&gateway, &secret).await;
    let mut stays = come(&gateway, &other).await;
    let mut stream = Sse::open(gateway.address, "/events", &[("Authorization", &bearer)]).await;
    stream.next().await.unwrap();

    let revoke = json!({"tokenId": id});
    assert_eq!(admin.call("token.revoke", revoke.clone()).await.unwrap(), json!({"success": true}));
    assert_eq!(client.closed().await, Some((4003, "token_revoked".to_owned())));
    assert_eq!(stream.next().await, None, "the stream ends");
    assert_eq!(get(gateway.address, "/events", &[("Authorization", &bearer)]).await.status, 401);
    stays.ping().await;
    assert!(admin.call("token.revoke", revoke).await.is_ok(), "a repeat changes nothing");
    let list = admin.call("token.list", json!({})).await.unwrap();
    let statuses: Vec<&str> =
        list["tokens"].as_array().unwrap().iter().map(|token| token["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["live", "revoked"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_expires_closes_its_connections() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let soon = at.config().clock.now_ms() + 1_500;
    let (secret, _) = make(&mut admin, json!([]), json!({"expiresAt": soon})).await;
    let mut client = come(&gateway, &secret).await;
    assert_eq!(client.closed().await, Some((4003, "token_expired".to_owned())));
    let bearer = format!("Bearer {secret}");
    assert_eq!(get(gateway.address, "/events", &[("Authorization", &bearer)]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_05_who_guesses_tokens_waits_whichever_way_they_come() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let wrong = [("Authorization", "Bearer cafe")];
    let mut statuses = Vec::new();
    for n in 0..22 {
        let path = if n % 2 == 0 { "/" } else { "/events" };
        statuses.push(get(gateway.address, path, &wrong).await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 21);
    assert_eq!(statuses.last(), Some(&429));
    // Neither a right token nor one who needs none changes that.
    let right = format!("Bearer {}", at.token());
    assert_eq!(get(gateway.address, "/", &[("Authorization", &right)]).await.status, 429);
    let mut program = Client::connect(gateway.address).await;
    program.ping().await;
    assert_eq!(get(gateway.address, "/", &wrong).await.status, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_03_tokens_survive_a_restart_and_their_secrets_are_kept_nowhere() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let key = json!({"idempotencyKey": "k"});
    let (secret, id) = make(&mut admin, json!(["approve"]), key.clone()).await;
    assert_eq!(make(&mut admin, json!(["approve"]), key.clone()).await, (secret.clone(), id.clone()));
    let other = json!({"name": "other", "idempotencyKey": "k"});
    assert_eq!(admin.call("token.create", other).await.unwrap_err()["code"], -32602);
    gateway.stop().await;

    let gateway = at.gateway().await;
    let mut client = come(&gateway, &secret).await;
    assert_eq!(client.greeting["data"]["permissions"], json!(["read", "approve"]));
    client.ping().await;
    for entry in std::fs::read_dir(at.home.gateway_db().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let mut problems = Vec::new();
    for params in [
        json!({"permissions": ["read"]}),
        json!({"name": "a\nb"}),
        json!({"name": "x", "permissions": ["root"]}),
        json!({"name": "x", "expiresAt": 1}),
    ] {
        let error = admin.call("token.create", params).await.unwrap_err();
        problems.push(error["message"].as_str().unwrap().to_owned());
    }
    let error = admin.call("token.revoke", json!({"tokenId": "nobody"})).await.unwrap_err();
    problems.push(error["message"].as_str().unwrap().to_owned());
    insta::assert_snapshot!(problems.join("\n"), @"
    Invalid params: name: it has 1 to 64 characters on one line
    Invalid params: name: it has 1 to 64 characters on one line
    Invalid params: permissions: there is no permission `root`; there are: read, write, approve, admin
    Invalid params: expiresAt: it has passed already
    Invalid params: tokenId: there is no access token nobody
    ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_11_below_admin_no_method_changes_a_setting() {
    let at = TestHome::new();
    let files = [at.home.config(), at.home.credentials(), at.home.personas().join("mine.toml")];
    std::fs::create_dir_all(at.home.personas()).unwrap();
    for file in &files {
        std::fs::write(file, "# as it was\n").unwrap();
    }
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let (secret, _) = make(&mut admin, json!(["write", "approve"]), json!({})).await;
    let mut client = come(&gateway, &secret).await;
    let before: Vec<_> =
        files.iter().chain([&at.home.token()]).map(|file| std::fs::read(file).unwrap()).collect();
    let mut denied = 0;
    for method in METHODS.iter().map(|method| method.name).filter(|name| *name != "conversation.message") {
        for path in ["config.toml", "../config.toml", "credentials.toml", "token", "personas/mine.toml"] {
            let told = json!({"id": path, "path": path, "file": path, "name": path, "key": "notify.command",
                "command": ["/bin/evil"], "value": "/bin/evil", "content": "evil", "goalId": path});
            let refused = client.call(method, told).await.is_err_and(|error| error["code"] == -32004);
            denied += usize::from(refused);
        }
    }
    let after: Vec<_> =
        files.iter().chain([&at.home.token()]).map(|file| std::fs::read(file).unwrap()).collect();
    assert_eq!(before, after);
    assert!(denied > 0, "what needs admin was asked too");
}
