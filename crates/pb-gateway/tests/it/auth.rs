//! Devices that prove who they are on a connection that is open already (`wire.md` §2.5), and connections that have
//! not yet (`security.md` 2, 6-8).

use std::time::Duration;

use pretty_assertions::assert_eq;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use crate::support::{Client, Running, TestHome, another_user, dial, eventually, goal_params, within};

/// A device with a key.
struct Device(Ed25519KeyPair);

impl Device {
    fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn key(&self) -> String {
        hex::encode(self.0.public_key())
    }

    fn sign(&self, challenge: &Value) -> String {
        hex::encode(self.0.sign(&hex::decode(challenge["challenge"].as_str().unwrap()).unwrap()))
    }

    async fn pair(&self, client: &mut Client, token: &str) -> Result<Value, Value> {
        let challenge = client.call("auth.pair", json!({"token": token})).await?;
        let proof = json!({"signature": self.sign(&challenge), "publicKey": self.key()});
        client.call("auth.verify", proof).await
    }

    async fn sign_in(&self, client: &mut Client) -> Result<Value, Value> {
        let challenge = client.call("auth.hello", json!({"publicKey": self.key()})).await?;
        client.call("auth.verify", json!({"signature": self.sign(&challenge)})).await
    }
}

async fn token(admin: &mut Client, permissions: Value) -> (String, String) {
    let made =
        admin.call("token.create", json!({"name": "phone", "permissions": permissions})).await.unwrap();
    (made["secret"].as_str().unwrap().to_owned(), made["token"]["id"].as_str().unwrap().to_owned())
}

/// A gateway at which others may say on the connection who they are, within this time.
async fn open_to_others(at: &TestHome, time: Duration) -> Running {
    let mut config = at.config();
    config.pending_connections = Some(time);
    Running::start(config).await.unwrap()
}

/// A connection of another user, who has not said who it is.
async fn unknown(gateway: &Running) -> Option<Client> {
    let stream = another_user(gateway.address)?;
    Some(Client::unknown(stream, gateway.address, "/", &[]).await.unwrap())
}

fn told(error: &Value) -> String {
    format!("{} {}", error["code"], error["message"].as_str().unwrap())
}

/// The recorded conversation of the first implementation, on a connection that was let in already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_paired_and_signs_in_with_its_key() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut admin = Client::connect(gateway.address).await;
    let (secret, id) = token(&mut admin, json!(["write"])).await;
    let device = Device::new(1);
    let paired = device.pair(&mut admin, &secret).await.unwrap();
    assert_eq!((&paired["success"], &paired["permissions"]), (&json!(true), &json!(["read", "write"])));
    assert_eq!(paired["sessionId"].as_str().unwrap().len(), 32);

    let mut client = Client::connect(gateway.address).await;
    let signed_in = device.sign_in(&mut client).await.unwrap();
    assert_eq!(signed_in["permissions"], json!(["read", "write"]));
    let again = client.call("auth.pair", json!({"token": secret})).await;
    assert_eq!(told(&again.unwrap_err()), "-32007 Token already paired to a device");
    let zeros = "0".repeat(128);
    client.call("auth.hello", json!({"publicKey": device.key()})).await.unwrap();
    let wrong = client.call("auth.verify", json!({"signature": zeros})).await;
    assert_eq!(told(&wrong.unwrap_err()), "-32009 Invalid signature");
    let stranger = client.call("auth.hello", json!({"publicKey": "ab".repeat(32)})).await;
    assert_eq!(told(&stranger.unwrap_err()), "-32002 Unknown public key. Use auth.pair to register.");
    let owner = client.call("auth.token", json!({"token": at.token()})).await.unwrap();
    assert_eq!(owner["permissions"], json!(["read", "write", "admin"]));
    let direct = client.call("auth.token", json!({"token": secret})).await;
    let needs_admin = "-32002 Authentication failed: Token requires admin permission for direct auth";
    assert_eq!(told(&direct.unwrap_err()), needs_admin);

    let list = admin.call("token.list", json!({})).await.unwrap();
    assert_eq!(
        (&list["tokens"][0]["id"], &list["tokens"][0]["publicKey"]),
        (&json!(id), &json!(device.key()))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_proves_nothing_is_refused() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let (secret, _) = token(&mut client, json!([])).await;
    let device = Device::new(1);
    let mut said = Vec::new();
    for (method, params) in [
        ("auth.hello", json!({})),
        ("auth.hello", json!({"publicKey": "ab"})),
        ("auth.hello", json!({"publicKey": 7})),
        ("auth.pair", json!({})),
        ("auth.pair", json!({"token": "wrong"})),
        ("auth.pair", json!({"token": at.token()})),
        ("auth.token", json!({})),
        ("auth.token", json!({"token": "wrong"})),
        ("auth.verify", json!({})),
        ("auth.verify", json!({"signature": "00"})),
        ("auth.other", json!({})),
    ] {
        said.push(format!("{method}: {}", told(&client.call(method, params).await.unwrap_err())));
    }
    // A challenge is answered once, also wrongly, and the last one is the one that counts.
    let challenge = client.call("auth.pair", json!({"token": secret})).await.unwrap();
    let right = json!({"signature": device.sign(&challenge), "publicKey": device.key()});
    client.call("auth.pair", json!({"token": secret})).await.unwrap();
    said.push(told(&client.call("auth.verify", right.clone()).await.unwrap_err()));
    said.push(told(&client.call("auth.verify", right).await.unwrap_err()));
    let challenge = client.call("auth.pair", json!({"token": secret})).await.unwrap();
    let keyless = json!({"signature": device.sign(&challenge)});
    said.push(told(&client.call("auth.verify", keyless).await.unwrap_err()));
    insta::assert_snapshot!(said.join("\n"), @"
    auth.hello: -32602 Invalid params: Invalid public key format
    auth.hello: -32602 Invalid params: Invalid public key format
    auth.hello: -32602 Invalid params: publicKey: invalid type: integer `7`, expected a string at line 1 column 14
    auth.pair: -32602 Invalid params: token required
    auth.pair: -32007 Invalid or expired pairing token
    auth.pair: -32007 Invalid or expired pairing token
    auth.token: -32602 Invalid params: token required
    auth.token: -32002 Authentication failed: Invalid or expired token
    auth.verify: -32602 Invalid params: signature required
    auth.verify: -32002 No pending authentication
    auth.other: -32601 Method not found: auth.other
    -32009 Invalid signature
    -32002 No pending authentication
    -32602 Invalid params: Invalid public key format
    ");
    client.ping().await;
}

/// `wire.md` §2.5: the terminal client of the first implementation always signs in, also where it is let in already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_let_in_and_signs_in_is_one_session_and_loses_nothing() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let mut client = Client::connect(gateway.address).await;
    let (secret, id) = token(&mut client, json!([])).await;
    let device = Device::new(1);
    device.pair(&mut client, &secret).await.unwrap();
    let goal = client.call("goal.submit", goal_params("still mine")).await.unwrap();
    assert_eq!(goal["status"], "queued");
    client.call("token.revoke", json!({"tokenId": id})).await.unwrap();
    client.ping().await;
    assert!(client.has_nothing_more().await, "no event comes twice, for none has come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_02_another_user_is_not_let_in_and_may_say_who_it_is_only_where_that_is_allowed() {
    let at = TestHome::new();
    let gateway = at.gateway().await;
    let Some(stream) = another_user(gateway.address) else { return };
    let refused = Client::unknown(stream, gateway.address, "/", &[]).await;
    assert_eq!(refused.err(), Some(401));
    let bearer = format!("Bearer {}", at.token());
    let stream = another_user(gateway.address).unwrap();
    let mut owner =
        Client::unknown(stream, gateway.address, "/", &[("Authorization", &bearer)]).await.unwrap();
    assert_eq!(owner.event().await["event"], "connection.authenticated");
    gateway.stop().await;

    let gateway = open_to_others(&at, Duration::from_mins(1)).await;
    let mut client = unknown(&gateway).await.unwrap();
    client.ping().await;
    assert_eq!(client.call("system.info", json!({})).await.unwrap()["name"], "PonyBunny Gateway");
    for method in ["goal.list", "events.subscribe", "system.status", "no.such.method"] {
        let error = client.call(method, json!({})).await.unwrap_err();
        assert_eq!(told(&error), "-32001 Authentication required", "{method}");
    }
    let stats = Client::connect(gateway.address).await.call("system.stats", json!({})).await.unwrap();
    assert_eq!(
        (
            &stats["connections"]["pending"],
            &stats["connections"]["totalSessions"],
            &stats["connections"]["connectionsByIp"]
        ),
        (&json!(1), &json!(1), &json!({"127.0.0.1": 2})),
        "{stats}"
    );
    for path in ["/metrics", "/events", "/readyz"] {
        let stream = another_user(gateway.address).unwrap();
        let mut client = Client::unknown(stream, gateway.address, path, &[]).await.unwrap();
        let error = client.call("goal.list", json!({})).await.unwrap_err();
        assert_eq!(told(&error), "-32001 Authentication required", "{path}");
    }
    let page = [("Origin", "http://127.0.0.1")];
    let stream = another_user(gateway.address).unwrap();
    assert_eq!(Client::unknown(stream, gateway.address, "/", &page).await.err(), Some(403));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_06_a_key_gives_what_its_token_allows() {
    let at = TestHome::new();
    let gateway = open_to_others(&at, Duration::from_mins(1)).await;
    let mut admin = Client::connect(gateway.address).await;
    let (secret, _) = token(&mut admin, json!(["approve"])).await;
    let device = Device::new(1);
    let Some(mut client) = unknown(&gateway).await else { return };
    device.pair(&mut client, &secret).await.unwrap();
    client.call("goal.list", json!({})).await.unwrap();
    let error = client.call("goal.submit", goal_params("no")).await.unwrap_err();
    assert_eq!(told(&error), "-32004 Permission denied: requires 'write'");
    // From now on it is told what happens.
    admin.call("goal.submit", goal_params("theirs")).await.unwrap();
    let (wider, _) = token(&mut admin, json!(["admin"])).await;
    client.call("auth.token", json!({"token": wider})).await.unwrap();
    client.call("token.list", json!({})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_07_a_key_ends_with_its_token_and_can_be_paired_anew() {
    let at = TestHome::new();
    let gateway = open_to_others(&at, Duration::from_mins(1)).await;
    let mut admin = Client::connect(gateway.address).await;
    let (secret, id) = token(&mut admin, json!([])).await;
    let device = Device::new(1);
    let Some(mut client) = unknown(&gateway).await else { return };
    device.pair(&mut client, &secret).await.unwrap();
    let (second, _) = token(&mut admin, json!([])).await;
    let error = device.pair(&mut client, &second).await.unwrap_err();
    assert_eq!(told(&error), "-32002 Failed to bind public key", "it is bound to the first one");

    admin.call("token.revoke", json!({"tokenId": id})).await.unwrap();
    assert_eq!(client.closed().await, Some((4003, "token_revoked".to_owned())));
    let mut client = unknown(&gateway).await.unwrap();
    let error = device.sign_in(&mut client).await.unwrap_err();
    assert_eq!(told(&error), "-32002 Unknown public key. Use auth.pair to register.");
    device.pair(&mut client, &second).await.unwrap();
    gateway.stop().await;
    let gateway = open_to_others(&at, Duration::from_mins(1)).await;
    device.sign_in(&mut unknown(&gateway).await.unwrap()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_08_connections_that_say_nothing_are_few_and_short() {
    let at = TestHome::new();
    let gateway = open_to_others(&at, Duration::from_secs(1)).await;
    let mut ours = Client::connect(gateway.address).await;
    let Some(mut first) = unknown(&gateway).await else { return };
    let mut kept = Vec::new();
    let mut turned_away = 0;
    for _ in 0..1_000 {
        let mut client = unknown(&gateway).await.unwrap();
        if client.is_served().await {
            kept.push(client);
        } else {
            turned_away += 1;
        }
    }
    assert!(turned_away > 0 && kept.len() < 1_000, "{turned_away} were turned away");
    assert_eq!(within("the end of the first", first.closed()).await, Some((4001, "auth_timeout".to_owned())));
    ours.ping().await;
    eventually("a free place", async || unknown(&gateway).await.unwrap().is_served().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_08_before_it_says_who_it_is_a_long_frame_ends_a_connection_unread() {
    let at = TestHome::new();
    let gateway = open_to_others(&at, Duration::from_mins(1)).await;
    let Some(mut client) = unknown(&gateway).await else { return };
    let long = |bytes: usize| {
        json!({"type": "req", "id": "long", "method": "system.ping", "params": {"x": "x".repeat(bytes)}})
            .to_string()
    };
    client.send(long(60 * 1024)).await;
    assert_eq!(client.answer().await["id"], "long");
    client.send_what_is_taken(long(100 * 1024)).await;
    assert_eq!(client.closed().await, Some((1009, "message too big".to_owned())));

    let mut known = dial(gateway.address, "/", &[]).await.unwrap();
    known.send(long(100 * 1024)).await;
    assert_eq!(known.answer().await["id"], "long");
    let mut client = unknown(&gateway).await.unwrap();
    client.call("auth.token", json!({"token": at.token()})).await.unwrap();
    client.send(long(100 * 1024)).await;
    assert_eq!(client.answer().await["id"], "long");
}
