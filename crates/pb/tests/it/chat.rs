//! A conversation with the worker: each message is answered once, whatever is killed, and what is wanted done becomes
//! a goal whose news come back.

use std::fs;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use pb_testkit::model_server::{Conversation, Fault, Reply, Script, When};
use serde_json::{Value, json};

use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, planner};

/// How often the scheduler is killed.
const KILLS: u32 = 12;
/// The kills are spread over so much time after a message.
const SPREAD: Duration = Duration::from_millis(240);

/// What the voice says, one reply after the other.
fn voice(replies: impl IntoIterator<Item = Reply>) -> Conversation {
    Conversation::new(When::tool("make_goal"), replies)
}

fn make_goal() -> Reply {
    let arguments =
        json!({"title": "写周报", "goal": "写一份周报，存为 report.txt", "reply": "好的，我来写。"});
    Reply::call("make_goal", arguments).usage(400, 40)
}

/// A plan of one command, which needs no model.
fn report() -> Conversation {
    let items = json!([{
        "id": "write", "kind": "command", "title": "写文件", "argv": ["sh", "-c", "echo 周报 > report.txt"],
        "effect": "idempotent", "gates": [{"kind": "file_contains", "path": "report.txt", "text": "周报"}],
    }]);
    planner([Reply::call("submit_plan", json!({ "items": items })).usage(1000, 100)])
}

fn only(env: &TestEnv) -> Value {
    let list = env.json(["chat", "--list", "--json"]);
    assert_eq!(list["total"], 1, "{list}");
    list["conversations"][0].clone()
}

fn turns(env: &TestEnv) -> Vec<Value> {
    let id = only(env)["sessionId"].as_str().unwrap().to_owned();
    env.json(["chat", "--history", &id, "--json"])["turns"].as_array().unwrap().clone()
}

fn texts(turns: &[Value]) -> Vec<&str> {
    turns.iter().map(|turn| turn["content"].as_str().unwrap()).collect()
}

#[test]
fn a_sentence_in_chinese_becomes_a_goal_and_reports_back() {
    let done = Reply::text("写好了，在 report.txt 里。").usage(500, 20);
    let scripted = Scripted::saying([voice([make_goal(), done]), report()]);
    let env = &scripted.env;
    let said = env.pb(["chat", "--workspace", "out", "--wait", "帮我写一份周报"]);
    assert_snapshot!("chat_wait", said);
    assert_eq!(fs::read_to_string(env.file("out/report.txt")).unwrap(), "周报\n");
    let goal = env.show(&env.only_goal());
    assert_eq!(
        (&goal["verdict"], &goal["description"]),
        (&json!("verified"), &json!("写一份周报，存为 report.txt"))
    );

    let asked = env.pb(["chat", "--continue", "写好了吗？"]);
    assert_eq!((asked.exit, asked.stdout.as_str()), (Some(0), "写好了，在 report.txt 里。\n"));
    let request = scripted.request(2);
    assert!(request.contains("\"写周报\": completed"), "{request}");
    assert!(request.contains("<tool_result tool=\"goal\" trust=\"none\">"), "{request}");
    assert_snapshot!("chat_history", env.pb(["chat", "--history", "sess_"]));
    let cost = env.json(["cost", "--by", "goal", "--json"]);
    let rows: Vec<(&Value, &Value)> =
        cost["rows"].as_array().unwrap().iter().map(|row| (&row["about"], &row["tokens"])).collect();
    assert_eq!(rows, [(&json!("写周报"), &json!(1100)), (&json!("(conversation)"), &json!(960))]);
}

#[test]
fn an_answer_that_was_under_way_when_both_were_killed_is_given_once() {
    let reply = || Reply::text("春天来了。").usage(300, 9).hold("slow");
    let scripted = Scripted::saying([voice([reply()])]);
    let env = &scripted.env;
    let talking = env.spawn(["chat", "写一句诗"]);
    scripted.model.wait_until_held("slow").unwrap();
    for daemon in ["scheduler", "gateway"] {
        env.kill9(daemon);
    }
    scripted.model.release("slow");
    env.start_daemons();
    let said = talking.wait();
    assert_eq!((said.exit, said.stdout.as_str()), (Some(0), "春天来了。\n"), "{said}");
    assert_eq!(texts(&turns(env)), ["写一句诗", "春天来了。"]);
    assert_eq!(scripted.turns(), [0, 0], "the call whose end nobody saw is made again");
    let cost = env.json(["cost", "--json"]);
    assert_eq!(cost["total"]["calls"], 2, "{cost}");
    assert!(cost["total"]["assumedTokens"].as_u64() > Some(309), "it is charged in full: {cost}");
}

#[test]
fn a_goal_is_made_once_whenever_the_scheduler_is_killed() {
    let scripted = Scripted::saying([voice([make_goal()]).repeat_last(), report()]);
    let env = &scripted.env;
    for n in 1..=KILLS {
        let talking = env.spawn(["chat", "再写一份"]);
        let kill_at = Instant::now() + SPREAD * n / KILLS;
        std::thread::sleep(kill_at.saturating_duration_since(Instant::now())); // wait: the moment of the kill
        env.kill9("scheduler");
        env.start_daemon("scheduler");
        let said = talking.wait();
        assert_eq!((said.exit, said.stdout.as_str()), (Some(0), "好的，我来写。\n"), "{said}");
    }
    wait_until("all are delivered", || {
        let list = env.json(["goal", "list", "--json"]);
        assert!(list["total"].as_u64() <= Some(KILLS.into()), "{list}");
        let goals = list["goals"].as_array().unwrap();
        let ended = goals.iter().filter(|goal| goal["status"] == "completed").count();
        (ended == KILLS as usize).then_some(())
    });
    wait_until("all are told", || {
        let list = env.json(["chat", "--list", "--json"]);
        let told = list["conversations"].as_array().unwrap().iter().filter(|one| one["state"] == "reporting");
        (told.count() == KILLS as usize).then_some(())
    });
}

#[test]
fn a_goal_that_asks_is_told_and_one_that_nobody_wants_is_stopped() {
    let ask = Reply::call(
        "ask_person",
        json!({"questions": [{"id": "format", "question": "什么格式？", "options": ["txt", "md"], "default": "txt"}]}),
    );
    let scripted = Scripted::saying([voice([make_goal()]), planner([ask])]);
    let env = &scripted.env;
    assert_eq!(env.pb(["chat", "帮我写一份周报"]).exit, Some(0));
    wait_until("the question is told", || (turns(env).len() == 3).then_some(()));
    assert_snapshot!("chat_question", env.pb(["chat", "--history", "sess_"]));
    assert_eq!(only(env)["state"], "monitoring");

    let goal = env.only_goal();
    let stop = Reply::call("cancel_goal", json!({"goal": goal, "reply": "已经停了。"}));
    scripted.model.set_script(Script::of([make_goal(), stop]));
    let said = env.pb(["chat", "--continue", "--wait", "不要了"]);
    assert_eq!(said.stdout, "已经停了。\n\"写周报\" is cancelled.\n", "{said}");
    assert_eq!(said.exit, Some(1), "{said}");
    assert_eq!(env.show(&goal)["status"], "cancelled");
    assert_eq!(env.json(["inbox", "--json"])["total"], 0);
}

#[test]
fn the_first_clients_talk_as_they_did() {
    let ask = Reply::call("ask", json!({"question": "哪一份？", "choices": ["周报", "月报"]}));
    let scripted = Scripted::saying([voice([make_goal(), ask, Reply::text("再见！")]), report()]);
    let env = &scripted.env;
    let mut socket = env.connect();
    let first =
        socket.call("conversation.message", &json!({"message": "写周报", "personaId": "pony-default"}));
    let session = first["sessionId"].as_str().unwrap().to_owned();
    let goal = env.only_goal();
    assert_eq!(first["response"], "好的，我来写。");
    assert_eq!(first["taskInfo"]["goalId"], goal.as_str());
    let second = socket.call("conversation.message", &json!({"message": "报告呢", "sessionId": session}));
    assert_eq!(second["response"], "哪一份？\n- 周报\n- 月报");
    assert_eq!(second["state"], "clarifying");
    let status = socket.call("conversation.status", &json!({"sessionId": session}));
    assert_eq!(status["exists"], true);
    let history = socket.call("conversation.history", &json!({"sessionId": session, "limit": 1}));
    assert_eq!(history["turns"][0]["role"], "assistant");
    assert_eq!(socket.call("conversation.end", &json!({"sessionId": session}))["success"], true);
    assert_eq!(socket.call("conversation.status", &json!({"sessionId": session})), json!({"exists": false}));
    let nobody = socket.call("conversation.history", &json!({"sessionId": "nobody"}));
    assert_eq!(nobody, json!({"turns": []}));

    let refused = |socket: &mut crate::socket::Client, method: &str, params: Value| {
        let answer = socket.answer(method, &params);
        (answer["error"]["code"].as_i64().unwrap(), answer["error"]["message"].as_str().unwrap().to_owned())
    };
    let blank = refused(&mut socket, "conversation.message", json!({"message": " "}));
    assert_eq!(blank, (-32602, "message is required".to_owned()));
    let nobody = refused(&mut socket, "persona.get", json!({"id": "x"}));
    assert_eq!(nobody, (-32602, "Persona not found: x".to_owned()));
    assert_eq!(socket.call("persona.default", &json!({})), json!({"personaId": "pony-default"}));
    let all = socket.call("persona.list", &json!({}));
    let pony = json!({"id": "pony-default", "name": "Pony", "nickname": "小马", "locale": "zh-CN"});
    assert_eq!(all["personas"], json!([pony]));
}

#[test]
fn a_person_chooses_the_voice_and_is_told_what_is_wrong() {
    let scripted = Scripted::saying([voice([Reply::text("Ahoy!")])]);
    let env = &scripted.env;
    let folder = env.home().join("personas");
    fs::create_dir(&folder).unwrap();
    fs::write(
        folder.join("pirat.toml"),
        "name = \"Pirat\"\nlocale = \"en\"\nbackstory = \"Sailed the Elbe.\"\n",
    )
    .unwrap();
    fs::write(folder.join("loud.toml"), "name = \"Loud\"\nlocale = \"en\"\npersonality = { humor = 11 }\n")
        .unwrap();
    assert_eq!(env.pb(["chat", "--persona", "pirat", "hi"]).stdout, "Ahoy!\n");
    assert!(scripted.request(0).contains("You are Pirat, the voice"), "{}", scripted.request(0));
    assert!(scripted.request(0).contains("Sailed the Elbe."));
    assert_snapshot!("chat_persona_unknown", env.pb(["chat", "--persona", "piratt", "hi"]));
    assert_snapshot!("chat_session_unknown", env.pb(["chat", "--session", "ffff", "hi"]));
    assert_snapshot!("chat_empty", env.pb(["chat", " "]));
    assert_eq!(env.pb(["chat", "--end", "sess_"]).exit, Some(0));
    assert_snapshot!("chat_ended", env.pb(["chat", "--session", "sess_", "hi"]));
}

#[test]
fn a_model_that_cannot_be_asked_is_said_in_the_conversation() {
    let scripted = Scripted::saying([voice([Reply::broken(Fault::status(401))])]);
    let env = &scripted.env;
    let said = env.pb(["chat", "你好"]);
    assert_snapshot!("chat_no_answer", said);
    assert_eq!(texts(&turns(env)).len(), 2);
}
