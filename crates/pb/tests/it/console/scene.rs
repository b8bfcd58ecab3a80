//! A home in which everything that the console shows is there: a goal that was delivered, one that runs, one that waits
//! for a yes, one that failed, a conversation, a schedule.

use pb_testkit::model_server::{Conversation, Reply, When, Wire};
use serde_json::json;

use crate::env::wait_until;
use crate::model::{Scripted, finish, plan, shell, worker, write};

/// What calls of the model cost, in dollars for a million tokens.
const PRICES: &str = "[prices.\"scripted/scripted\"]\ninput = 2.5\noutput = 10\n";
/// The name by which the model is held.
const HELD: &str = "translation";

/// The goal whose command fails.
const FAILS: &str = r#"
title = "Publish the crate"
workspace = "publish"

[[items]]
id = "publish"
kind = "command"
argv = ["sh", "-c", "echo 'error: no token found, please run `cargo login`' >&2; exit 101"]
effect = "idempotent"
max_retries = 0
gates = [{ kind = "command", argv = ["true"] }]
"#;

/// The goal that waits for a yes.
const ASKS: &str = r#"
title = "发布 2.0 到演示服务器"
workspace = "deploy"

[[items]]
id = "deploy"
kind = "agent"
prompt = "Deploy it."
approve = ["run_command"]
max_retries = 0
gates = [{ kind = "file_exists", path = "done" }]
"#;

/// The goal that runs for as long as the scene stands.
const RUNS: &str = r#"
title = "Translate the manual into Chinese"
workspace = "manual"

[[items]]
id = "glossary"
kind = "command"
argv = ["sh", "-c", "printf 'goal\t目标\ngate\t关卡\n' > glossary.tsv"]
effect = "idempotent"
gates = [{ kind = "file_contains", path = "glossary.tsv", text = "目标" }]

[[items]]
id = "translate"
title = "Translate chapter 1"
needs = ["glossary"]
kind = "agent"
prompt = "Translate chapter 1."
effect = "idempotent"
gates = [{ kind = "file_exists", path = "chapter-1.zh.md" }]
"#;

/// The processes, the model, and the goals that stand in them.
pub(super) struct Scene {
    pub(super) scripted: Scripted,
    /// The goal that was delivered.
    pub(super) delivered: String,
}

impl Scene {
    pub(super) fn new() -> Self {
        let scripted = Scripted::on(Wire::OpenAi, PRICES, conversations());
        let env = &scripted.env;
        let ran = env.pb(["run", "Write the release notes of 2.0 from the commits since 1.9"]);
        assert_eq!(ran.exit, Some(0), "{ran}");
        let delivered = env.only_goal();
        let files = [("fails", FAILS), ("asks", ASKS), ("runs", RUNS)];
        let [failed, ..] = files.map(|(name, text)| {
            env.write(&format!("{name}.toml"), text);
            env.detach(&[&format!("{name}.toml")])
        });
        env.watch(&failed);
        wait_until("a call waits for a yes", || {
            env.json(["inbox", "--json"])["escalations"]
                .as_array()
                .is_some_and(|asks| asks.iter().any(|ask| ask["escalation_type"] == "approval"))
                .then_some(())
        });
        env.write("hello.toml", include_str!("../../../../../examples/hello.toml"));
        let added = env.pb(["schedule", "add", "hello.toml", "--cron", "0 8 * * *"]);
        assert_eq!(added.exit, Some(0), "{added}");
        scripted.model.wait_until_held(HELD).unwrap();
        Self { scripted, delivered }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.scripted.model.release(HELD);
    }
}

/// An agent whose prompt contains this.
fn agent(prompt: &str, replies: impl IntoIterator<Item = Reply>) -> Conversation {
    let when = When { contains: Some(prompt.to_owned()), ..When::tool("finish") };
    Conversation { when, ..worker(replies) }
}

fn conversations() -> Vec<Conversation> {
    let gate = |path: &str, text: &str| json!([{"kind": "file_contains", "path": path, "text": text}]);
    let items = json!([
        {"id": "collect", "title": "Collect the commits", "kind": "command", "effect": "idempotent",
         "argv": ["sh", "-c", "printf 'feat: schedules\\nfix: 断线重连\\nfeat: console\\n' | tee commits.txt"],
         "gates": gate("commits.txt", "断线重连")},
        {"id": "write", "title": "Write what is new", "needs": ["collect"], "kind": "agent", "effect": "idempotent",
         "prompt": "Write features.md from commits.txt.", "tools": ["read_file", "write_file"], "tier": "medium",
         "gates": gate("features.md", "console")},
        {"id": "fixes", "title": "Write what is mended", "needs": ["collect"], "kind": "agent", "effect": "idempotent",
         "prompt": "Write fixes.md from commits.txt.", "tools": ["read_file", "write_file"], "tier": "medium",
         "gates": gate("fixes.md", "断线重连")},
        {"id": "join", "title": "Join both into RELEASE.md", "needs": ["write", "fixes"], "kind": "command", "effect": "idempotent",
         "argv": ["sh", "-c", "cat features.md fixes.md > RELEASE.md"], "gates": gate("RELEASE.md", "# 2.0")},
    ]);
    let read = || Reply::call("read_file", json!({"path": "commits.txt"})).usage(2_100, 60);
    let thought = "Three commits: two features and one fix. The features go under their own heading.";
    let features = "# 2.0\n\n- schedules: a goal every morning\n- console: see what runs\n";
    vec![
        Conversation::new(
            When::tool("submit_plan"),
            [plan(&items).thought("Two branches can run side by side.")],
        ),
        agent(
            "features.md",
            [
                read().thought(thought),
                write("features.md", features),
                finish("features.md lists both features."),
            ],
        ),
        agent(
            "fixes.md",
            [
                read(),
                write("fixes.md", "- 断线重连 now resumes by cursor\n"),
                finish("fixes.md lists the fix."),
            ],
        ),
        agent("Deploy it.", [shell("scp -r site deploy@demo:/srv && touch done"), finish("Deployed.")]),
        agent("Translate chapter 1.", [finish("never said").hold(HELD)]),
        Conversation::new(
            When::tool("make_goal"),
            [Reply::text("你好！现在有一个目标在运行，一个在等你批准。").usage(900, 40)],
        ),
    ]
}
