//! The console in a real browser, before the real processes (`security.md`, "The gateway", 4 and 9).

mod fluid;
mod forms;
mod keys;
mod link;
mod page;
mod replay;
mod scene;
mod tour;
mod trace;

use std::net::SocketAddr;

use page::Page;
use pb_testkit::model_server::{Conversation, Reply, When};
use serde_json::{Value, json};

use crate::agent::plan_of_a_file;
use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, finish, plan, planner, worker, write};

/// The page has everything that there is.
const LIVE: &str = ".shell[data-state=live]";

/// Where the page is, and the address that lets a browser in.
fn addresses(env: &TestEnv) -> (String, String) {
    let url = env.json(["console", "--json"])["url"].as_str().unwrap().to_owned();
    let origin = format!("http://{}", env.address());
    assert!(url.starts_with(&format!("{origin}/#code=")), "{url}");
    (origin, url)
}

#[test]
fn security_04_a_browser_comes_in_once_by_an_address_that_it_forgets_and_no_script_has_the_token() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&origin);
    page.sees("text=pb console");
    assert_eq!(page.does(&json!(["count", ".shell"])), 0, "nothing of the console is shown");

    page.open(&url);
    page.sees(LIVE);
    assert_eq!(page.does(&json!(["url"])), format!("{origin}/#/now"));
    let code = url.rsplit('=').next().unwrap();
    let kept = page.does(&json!(["kept"]));
    assert!(!kept.to_string().contains(code), "{kept}");
    assert_eq!((&kept["cookies"], &kept["session"]), (&json!(""), &json!({})));
    // Half of the token; what a cookie has is the other.
    assert_eq!(kept["local"]["pb.key"].as_str().unwrap().len(), 32);
    page.does(&json!(["reload"]));
    page.sees(LIVE);
    page.does(&json!(["tab", origin]));
    page.sees(LIVE);

    // It is listed, and whoever takes it back ends the page.
    let listed = env.json(["gateway", "tokens", "--json"]);
    assert_eq!(
        (&listed["tokens"][0]["name"], &listed["tokens"][0]["status"]),
        (&json!("console"), &json!("live"))
    );
    assert_eq!(env.pb(["gateway", "revoke", "console"]).exit, Some(0));
    page.sees("text=pb console");

    // The address is of no use any more, and neither is one of another kind.
    for (address, why) in [
        (url.as_str(), "was used already, or is too old"),
        (&format!("{origin}/#code=0"), "is not whole"),
        (&format!("{origin}/#token={code}"), "is not whole"),
    ] {
        page.does(&json!(["open", "about:blank"]));
        page.open(address);
        page.sees(&format!("[role=alert]:has-text('{why}')"));
        assert_eq!(page.does(&json!(["url"])), format!("{origin}/#/now"));
    }

    // Both tabs are in again when one of them is.
    page.open(&addresses(&env).1);
    page.sees(LIVE);
    page.does(&json!(["back"]));
    page.sees(LIVE);
}

#[test]
fn security_09_the_page_asks_nobody_but_its_own_gateway_whatever_it_is_told() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let elsewhere = "ws://127.0.0.2:9/";
    page.open(&format!("{origin}/?gatewayUrl={elsewhere}&gateway={elsewhere}#/now"));
    page.sees(LIVE);
    page.does(&json!(["say", {"type": "connect", "gatewayUrl": elsewhere, "url": elsewhere}]));
    for panel in ["inbox", "new", "chat", "history", "schedules", "system"] {
        page.open(&format!("{origin}/?gatewayUrl={elsewhere}#/{panel}"));
        page.sees("h1");
    }
    page.sees(LIVE);
    page.is_well(&origin);
}

#[test]
fn a_goal_is_asked_for_in_words_watched_and_delivered() {
    let items = plan_of_a_file("write", "Write the report", "report.txt", "周报");
    // What a model says is text, whatever it looks like.
    let markup = "<img src=x onerror=alert(1)><b>bold</b>";
    let mut report = write("report.txt", "周报\n");
    report.text = Some(markup.to_owned());
    let scripted = Scripted::saying([planner([plan(&items)]), worker([report, finish("写好了。")])]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("g");
    page.does(&json!(["fill", "textarea", "帮我写一份周报，存为 report.txt"]));
    page.press("Control+Enter");
    page.sees("h1:has-text('帮我写一份周报')");
    page.sees(".facts .status.good");
    page.sees("g.node.done");
    page.sees(&format!("text={markup}"));
    assert_eq!(
        page.does(&json!(["count", "main img, main b"])),
        0,
        "nothing of it became a part of the page"
    );
    page.click("nav.tabs >> text=Proof");
    page.sees("details.card .good");
    page.click("nav.tabs >> text=Files");
    page.sees("td:has-text('report.txt')");
    page.sees("span.more:has-text('+周报')");
    page.click("nav.tabs >> text=Cost");
    page.sees("tr.sum");
    page.is_well(&origin);
    assert_eq!(env.show(&env.only_goal())["verdict"], "verified");
}

#[test]
fn a_plan_is_looked_at_before_it_runs() {
    let items = plan_of_a_file("write", "Write the report", "report.txt", "周报");
    let scripted = Scripted::saying([
        planner([plan(&items)]),
        worker([write("report.txt", "周报\n"), finish("写好了。")]),
    ]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/new"));
    page.does(&json!(["fill", "textarea", "写周报"]));
    page.click("text=Show me the plan first");
    page.sees("g.node:has-text('write')");
    page.click("text=Run this plan");
    page.sees(".facts .status.good");
    page.is_well(&origin);
}

#[test]
fn a_goal_file_is_read_and_run_and_what_is_wrong_with_one_is_told() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/new"));
    let wrong = env.write("wrong.toml", "title = 'x'\n[[items]]\nid = 'a'\nkind = 'comand'\n");
    page.does(&json!(["file", "input[type=file]", wrong]));
    page.sees("pre[role=alert]:has-text('Line 4')");
    let hello = include_str!("../../../../../examples/hello.toml");
    let right = env.write("hello.toml", hello);
    page.does(&json!(["file", "input[type=file]", right]));
    page.sees("g.node");
    page.click("text=Run this plan");
    page.sees(".facts .status.good");
    page.is_well(&origin);
}

/// Has the gateway come back where the page is.
fn stay(env: &mut TestEnv) {
    let port = env.address().parse::<SocketAddr>().unwrap().port();
    env.variables.retain(|(name, _)| *name != "PB_PORT");
    env.variables.push(("PB_PORT", port.to_string()));
}

/// Both processes are killed and come back while a goal runs: the page has each event, and each once.
#[test]
fn a_page_catches_up_after_both_processes_were_killed() {
    let mut env = TestEnv::new();
    env.start_daemons();
    stay(&mut env);
    let (_, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let file = r#"
title = "A long way"
workspace = "out"

[[items]]
id = "walk"
kind = "command"
argv = ["sh", "-c", "until test -e go; do sleep 0.05; done"]
effect = "idempotent"
gates = [{ kind = "command", argv = ["true"] }]
"#;
    env.write("long.toml", file);
    let goal = env.detach(&["long.toml"]);
    page.sees(".goal:has-text('A long way')");
    for name in ["scheduler", "gateway"] {
        env.kill9(name);
    }
    page.sees(".shell[data-state=waiting]");
    env.start_daemons();
    env.write("out/go", "");
    assert_eq!(env.watch(&goal), Some(0));
    page.sees(".goal .status.good");
    page.sees(LIVE);
    let mut client = env.connect();
    client.answer("events.subscribe", &json!({"after": "start"}));
    let all = client.events_until("goal.completed");
    let of_goal: Vec<&Value> = all.iter().filter(|event| event["data"]["goalId"] == goal.as_str()).collect();
    wait_until("the page has every event", || (page.events() == of_goal.len() as u64).then_some(()));
    assert!(of_goal.iter().any(|event| event["event"] == "run.continued"), "it was taken over");
    page.sees(".shell[data-caught]");
}

#[test]
fn a_question_is_answered_with_what_is_offered_and_in_words() {
    let ask = json!({"questions": [
        {"id": "format", "question": "报告要什么格式？", "why": "it decides which tool is used",
         "options": ["txt", "md"], "default": "txt"},
    ]});
    let items = plan_of_a_file("write", "Write the report", "report.md", "周报");
    let planner = planner([Reply::call("ask_person", ask).usage(1000, 100), plan(&items)]);
    let scripted = Scripted::saying([planner, worker([write("report.md", "周报\n"), finish("写好了。")])]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let goal = env.pb(["work", "create", "写一份报告"]).raw_stdout.trim().to_owned();
    page.sees(".asks a");
    page.click(".asks a");
    page.sees("text=it decides which tool is used");
    page.click("button:has-text('md')");
    page.does(&json!(["fill", "textarea", "写短点"]));
    page.click("button.main:has-text('Answer')");
    page.sees("text=Nothing waits for you");
    wait_until("it is done", || (env.show(&goal)["status"] == "completed").then_some(()));
    let answered = scripted.request(1);
    assert!(answered.contains("format: md") && answered.contains("写短点"), "{answered}");
    page.is_well(&origin);
}

#[test]
fn a_sentence_becomes_a_goal_in_a_conversation() {
    let arguments =
        json!({"title": "写周报", "goal": "写一份周报，存为 report.txt", "reply": "好的，我来写。"});
    let voice = Conversation::new(
        When::tool("make_goal"),
        [Reply::call("make_goal", arguments).usage(400, 40), Reply::text("写好了，在 report.txt 里。")],
    );
    let items = plan_of_a_file("write", "Write the report", "report.txt", "周报");
    let planner = planner([plan(&items)]);
    let scripted =
        Scripted::saying([voice, planner, worker([write("report.txt", "周报\n"), finish("写好了。")])]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("c");
    page.does(&json!(["fill", "textarea", "帮我写一份周报"]));
    page.press("Enter");
    page.sees("li.user:has-text('帮我写一份周报')");
    page.sees("li.assistant:has-text('好的，我来写。')");
    page.sees(".made .status.good");
    page.sees("li.worker");
    page.click(".made");
    page.sees("h1:has-text('写周报')");
    page.is_well(&origin);
}

#[test]
fn goals_of_the_past_are_found_and_two_of_them_compared() {
    let env = TestEnv::new();
    env.start_daemons();
    for (name, title, line) in [("good", "打招呼", "touch done"), ("bad", "A bad one", "exit 3")] {
        let file = format!(
            "title = \"{title}\"\nworkspace = \"{name}\"\n\n[[items]]\nid = \"only\"\nkind = \"command\"\n\
             argv = [\"sh\", \"-c\", \"{line}\"]\neffect = \"idempotent\"\nmax_retries = 0\n\
             gates = [{{ kind = \"file_exists\", path = \"done\" }}]\n"
        );
        env.write(&format!("{name}.toml"), &file);
        env.watch(&env.detach(&[&format!("{name}.toml")]));
    }
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("h");
    page.sees("li:has-text('A bad one')");
    page.press("/");
    page.does(&json!(["fill", "input[type=search]", "招呼"]));
    page.does(&json!(["gone", "li:has-text('A bad one')"]));
    page.sees("text=1 of 2 goals");
    page.does(&json!(["fill", "input[type=search]", ""]));
    page.click("li:has-text('A bad one') input");
    page.click("li:has-text('打招呼') input");
    page.click("text=Compare two");
    page.sees("tr.differs:has-text('Verified'):has-text('Failed')");
    page.is_well(&origin);
}

#[test]
fn a_schedule_is_shown_run_and_paused() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("hello.toml", include_str!("../../../../../examples/hello.toml"));
    let added = env.pb(["schedule", "add", "hello.toml", "--cron", "0 8 * * *"]);
    assert_eq!(added.exit, Some(0), "{added}");
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("s");
    page.sees("code:has-text('0 8 * * *')");
    page.click("text=Pause");
    page.sees(".card .status.warn");
    page.click("text=Run now");
    page.sees(".facts .status.good");
    page.is_well(&origin);
}

/// Words, colours and places are kept by the browser, and all of it is in the person's language.
#[test]
fn the_page_speaks_chinese_and_is_dark_if_one_likes() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.click(".side button:has-text('中文')");
    page.sees("h1:has-text('现在')");
    page.click(".side button:has-text('跟随系统')");
    page.click(".side button:has-text('浅色')");
    page.sees("html[data-theme=dark][lang=zh-CN]");
    page.does(&json!(["reload"]));
    page.sees("html[data-theme=dark][lang=zh-CN]");
    page.sees("h1:has-text('现在')");
    page.is_well(&origin);
}
