//! `docs/rpc.d.ts`, as the compiler of TypeScript sees it: a program that uses it well is accepted, those that use it
//! wrongly are not, and what the real gateway says is of the types that stand there, without a key more or less.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pb_testkit::model_server::{Conversation, Reply, When};
use serde_json::{Value, json};

use crate::agent::plan_of_a_file;
use crate::env::TestEnv;
use crate::model::{Scripted, finish, plan, planner, worker, write};
use crate::socket::Client;
use crate::tools;

const RIGHT: &str = include_str!("right.ts");

/// How each wrong program begins.
const HEAD: &str = r#"import type { ErrorCode, EventFrame, GoalSubmitParams, Method, Methods, Request, ServerFrame } from "./rpc.d.ts";
declare function call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]>;
declare const frame: ServerFrame;
declare const event: EventFrame;
const asked = { title: "t", description: "d" };
export type Used = [ErrorCode, GoalSubmitParams, Request, typeof call, typeof frame, typeof event, typeof asked];
"#;

/// What is wrong, the program, and the error of the compiler; there is no other.
const WRONG: &[(&str, &str, &str)] = &[
    ("no-such-method", r#"await call("goal.sumbit", asked);"#, "TS2345"),
    ("missing-key", r#"await call("goal.status", {});"#, "TS2345"),
    ("missing-key-of-an-alias", r#"await call("goal.get", {});"#, "TS2345"),
    ("unknown-key", r#"await call("goal.list", { state: "active" });"#, "TS2353"),
    ("wrong-type", r#"await call("goal.list", { limit: "10" });"#, "TS2322"),
    ("wrong-word", r#"await call("cost.summary", { by: "weather" });"#, "TS2322"),
    (
        "wrong-word-deep-within",
        r#"export const g: GoalSubmitParams = { ...asked, items: [{ id: "a", work: { kind: "command", argv: ["a"], effect: "some" } }] };"#,
        "TS2322",
    ),
    (
        "wrong-tag",
        r#"export const g: GoalSubmitParams = { ...asked, items: [{ id: "a", work: { kind: "magic", argv: ["a"] } }] };"#,
        "TS2322",
    ),
    ("unknown-key-of-a-result", r#"(await call("goal.list", {})).items;"#, "TS2339"),
    ("wrong-type-of-a-result", r#"export const n: string = (await call("goal.list", {})).total;"#, "TS2322"),
    ("may-be-absent", r#"(await call("goal.submit", asked)).completed_at + 1;"#, "TS2532"),
    (
        "no-params",
        r#"export const r: Request<"goal.status"> = { type: "req", id: "1", method: "goal.status" };"#,
        "TS2322",
    ),
    ("result-of-an-error", r#"if (frame.type === "res" && frame.error) frame.result.length;"#, "TS18048"),
    ("no-such-event", r#"if (event.event === "goal.craeted") throw event;"#, "TS2367"),
    ("key-of-another-event", r#"if (event.event === "goal.created") event.data.workItem;"#, "TS2551"),
    (
        "no-such-status",
        r#"export const is = (await call("goal.submit", asked)).status === "done";"#,
        "TS2367",
    ),
    ("no-such-error", "export const c: ErrorCode = -32099;", "TS2322"),
];

/// A folder with the types and the compiler.
fn folder(env: &TestEnv, packages: &Path) {
    let types = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rpc.d.ts");
    env.write("rpc.d.ts", &std::fs::read_to_string(types).unwrap());
    env.write("package.json", r#"{"type":"module"}"#);
    let options = json!({
        "strict": true, "noEmit": true, "noUncheckedIndexedAccess": true, "exactOptionalPropertyTypes": true,
        "target": "es2022", "module": "nodenext", "types": [],
        // The types themselves are checked as well.
        "skipLibCheck": false,
    });
    env.write("tsconfig.json", &json!({"compilerOptions": options, "include": ["*.ts"]}).to_string());
    symlink(packages, env.file("node_modules")).unwrap();
}

/// What the compiler complains of, line by line.
#[expect(clippy::disallowed_methods, reason = "the test is the person who has a compiler")]
fn complaints(env: &TestEnv) -> Vec<String> {
    let tsc: PathBuf = env.file("node_modules/typescript/bin/tsc");
    let ran = Command::new("node")
        .arg(tsc)
        .args(["--pretty", "false", "--project", "."])
        .current_dir(env.work())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.success(), text.is_empty(), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    // Further lines of a complaint are indented.
    text.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect()
}

#[test]
fn a_program_that_uses_them_well_is_accepted() {
    let Some(packages) = tools::node_packages() else { return };
    let env = TestEnv::new();
    folder(&env, &packages);
    env.write("right.ts", RIGHT);
    assert_eq!(complaints(&env), Vec::<String>::new());
}

#[test]
fn each_program_that_uses_them_wrongly_is_refused_for_that() {
    let Some(packages) = tools::node_packages() else { return };
    let env = TestEnv::new();
    folder(&env, &packages);
    env.write("head.ts", HEAD);
    for (name, program, _) in WRONG {
        env.write(&format!("{name}.ts"), &format!("{HEAD}{program}\n"));
    }
    let mut expected: Vec<String> = WRONG.iter().map(|(name, _, error)| format!("{name} {error}")).collect();
    expected.sort();
    let mut found: Vec<String> = complaints(&env)
        .iter()
        .map(|line| {
            let (file, rest) = line.split_once(".ts(").unwrap();
            let error = rest.split_once("error ").unwrap().1;
            format!("{file} {}", error.split_once(':').unwrap().0)
        })
        .collect();
    found.sort();
    assert_eq!(found, expected);
}

/// A conversation that becomes a goal, of which a command and an agent do a part each.
fn conversations() -> [Conversation; 3] {
    let arguments = json!({"title": "写周报", "goal": "写一份周报，存为 report.txt", "reply": "好的。"});
    let voice =
        Conversation::new(When::tool("make_goal"), [Reply::call("make_goal", arguments).usage(400, 40)]);
    let mut items = plan_of_a_file("write", "Write the report", "report.txt", "周报");
    let command = json!({
        "id": "look", "kind": "command", "title": "看", "argv": ["true"], "effect": "pure",
        "gates": [{"kind": "command", "argv": ["true"]}],
    });
    items.as_array_mut().unwrap().push(command);
    [voice, planner([plan(&items)]), worker([write("report.txt", "周报\n"), finish("写好了。")])]
}

/// A program that says what was asked, answered and told, each as a value of its type.
#[derive(Default)]
struct Witness {
    lines: Vec<String>,
}

impl Witness {
    fn see(&mut self, its_type: &str, value: &Value) {
        self.lines.push(format!("export const v{}: {its_type} = {value};\n", self.lines.len()));
    }

    /// Calls a method, which must be done; its result.
    fn call(&mut self, client: &mut Client, method: &str, params: &Value) -> Value {
        let frame = client.answer(method, params);
        assert_eq!(frame["error"], Value::Null, "{method}");
        self.see(
            &format!("Request<{method:?}>"),
            &json!({"type": "req", "id": "1", "method": method, "params": params}),
        );
        self.see(&format!("Response<Methods[{method:?}][\"result\"]>"), &frame);
        frame["result"].clone()
    }
}

/// Asks everything that can be asked about a goal, its schedule and its conversation.
fn ask_everything(witness: &mut Witness, client: &mut Client) {
    let none = || json!({});
    let mut ask = |method: &str, params: Value| witness.call(client, method, &params);
    for method in
        ["system.ping", "system.info", "system.status", "system.stats", "system.methods", "system.gc"]
    {
        ask(method, none());
    }
    let goal = ask("goal.list", json!({"limit": 5}))["goals"][0]["id"].clone();
    let of_goal = json!({ "goalId": goal });
    for method in [
        "goal.status",
        "goal.get",
        "goal.report",
        "goal.steps",
        "workitem.byGoal",
        "audit.byGoal",
        "debug.goal",
    ] {
        ask(method, of_goal.clone());
    }
    let spec = ask("goal.plan", of_goal)["spec"].clone();
    let item = ask("workitem.list", none())["workItems"][0]["id"].clone();
    ask("workitem.get", json!({ "workItemId": item }));
    ask("workitem.runs", json!({ "workItemId": item }));
    for by in ["goal", "model", "day"] {
        ask("cost.summary", json!({ "by": by }));
    }
    for method in [
        "escalation.list",
        "escalation.pending",
        "approval.list",
        "approval.pending",
        "audit.list",
        "audit.stats",
        "debug.lanes",
        "debug.workitems",
        "debug.events",
        "conversation.list",
        "persona.list",
        "persona.default",
        "token.list",
        "schedule.list",
    ] {
        ask(method, none());
    }
    let session = ask("conversation.list", none())["conversations"][0]["sessionId"].clone();
    for method in ["conversation.history", "conversation.status", "conversation.end"] {
        ask(method, json!({ "sessionId": session }));
    }
    let persona = ask("persona.list", none())["personas"][0]["id"].clone();
    ask("persona.get", json!({ "id": persona }));
    let token = ask("token.create", json!({"name": "phone", "permissions": ["read"]}));
    ask("token.list", none());
    ask("token.revoke", json!({"tokenId": token["token"]["id"]}));
    let timing = json!({"kind": "cron", "expression": "0 8 * * *", "zone": "UTC"});
    let schedule =
        ask("schedule.add", json!({"goal": spec, "timing": timing, "missed": "skip"}))["id"].clone();
    for method in ["schedule.get", "schedule.pause", "schedule.resume", "schedule.remove"] {
        ask(method, json!({ "scheduleId": schedule }));
    }
}

#[test]
fn what_the_gateway_says_is_what_stands_there() {
    let Some(packages) = tools::node_packages() else { return };
    let scripted = Scripted::saying(conversations());
    let env = &scripted.env;
    let said = env.pb(["chat", "--workspace", "out", "--wait", "帮我写一份周报"]);
    assert_eq!(said.exit, Some(0), "{said}");
    let (mut witness, mut client) = (Witness::default(), env.connect());
    ask_everything(&mut witness, &mut client);
    for (method, params) in
        [("goal.status", json!({"goalId": "goal_none"})), ("goal.list", json!({"limit": "x"}))]
    {
        witness.see("ErrorResponse", &client.answer(method, &params));
    }
    // What was told of all that, from the first event on, to somebody new.
    let mut client = env.connect();
    let subscribed = witness.call(&mut client, "events.subscribe", &json!({"after": "start"}));
    let events = client.events_until("schedule.removed");
    witness.call(&mut client, "events.unsubscribe", &json!({"subscriptionId": subscribed["subscriptionId"]}));
    for event in &events {
        witness.see(&format!("EventFrame<{}>", event["event"]), event);
    }
    let told = |name: &str| events.iter().any(|event| event["event"] == name);
    for name in [
        "goal.completed",
        "model.answered",
        "tool.completed",
        "gate.completed",
        "task.result",
        "schedule.created",
    ] {
        assert!(told(name), "there is no {name} to be looked at");
    }

    folder(env, &packages);
    let head = "import type { ErrorResponse, EventFrame, Methods, Request, Response } from \"./rpc.d.ts\";\n";
    env.write("said.ts", &format!("{head}{}", witness.lines.concat()));
    assert_eq!(complaints(env), Vec::<String>::new());
}
