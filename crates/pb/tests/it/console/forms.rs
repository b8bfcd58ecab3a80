//! What is typed into the page: schedules, inputs of goal files, drafts; and what it shows of what came of it.

use std::fs;

use pb_testkit::model_server::{Conversation, Reply, When};
use serde_json::json;

use super::page::Page;
use super::{LIVE, addresses};
use crate::env::{TestEnv, wait_until};
use crate::model::Scripted;

#[test]
fn a_schedule_is_made_changed_and_removed() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/schedules/new"));
    page.does(&json!(["fill", "textarea", "每天写一份日报"]));
    // A mistake is told, and leaves everything as it was typed.
    let expression = "label:has-text('Cron expression') input";
    page.does(&json!(["fill", expression, "0 99 * * *"]));
    page.click("text=Make the schedule");
    page.sees("[role=alert]:has-text('99')");
    page.click("button:has-text('weekdays at 9')");
    page.does(&json!(["fill", "input[list=zones]", "Europe/Berlin"]));
    page.click("text=Make the schedule");
    page.sees("code:has-text('0 9 * * 1-5 · Europe/Berlin')");
    page.sees("section:has-text('每天写一份日报'):has-text('Next:')");

    page.click("a:has-text('Change')");
    page.sees("input[required]");
    page.does(&json!(["fill", "label:has-text('Title') input", "每两小时一份"]));
    page.click("label:has-text('At intervals')");
    page.does(&json!(["fill", "label:has-text('Every') input", "2"]));
    page.does(&json!(["choose", "label:has-text('Unit') select", "hours"]));
    page.click("button:has-text('Save')");
    page.sees("code:has-text('every 2 h')");
    let listed = env.json(["schedule", "list", "--json"]);
    let schedules = listed["schedules"].as_array().unwrap();
    assert_eq!(schedules.len(), 1, "{listed}");
    assert_eq!(
        (&schedules[0]["title"], &schedules[0]["timing"]["interval_ms"]),
        (&json!("每两小时一份"), &json!(2 * 60 * 60 * 1000))
    );

    page.click("button:has-text('Remove')");
    page.click("button:has-text('really')");
    page.sees("text=No goal runs by itself yet");
    page.is_well(&origin);
}

/// One input has to be given, one has a value of its own.
const WITH_INPUTS: &str = r#"
title = "Greet {{who}}"
workspace = "out"

[inputs]
greeting = "你好"
who = { description = "Who is greeted" }

[[items]]
id = "greet"
kind = "command"
argv = ["sh", "-c", 'echo "$PB_INPUT_GREETING $PB_INPUT_WHO" > greeting.txt']
effect = "idempotent"
gates = [{ kind = "file_exists", path = "greeting.txt" }]
"#;

#[test]
fn inputs_of_a_goal_file_are_given_and_what_is_written_survives_a_reload() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/new"));
    page.does(&json!(["fill", "textarea", "half a thought"]));
    page.open(&format!("{origin}/#/history"));
    page.open(&format!("{origin}/#/new"));
    page.does(&json!(["reload"]));
    page.sees(LIVE);
    assert_eq!(page.does(&json!(["value", "textarea"])), "half a thought");

    let file = env.write("greet.toml", WITH_INPUTS);
    page.does(&json!(["file", "input[type=file]", file]));
    page.sees("fieldset:has-text('Who is greeted')");
    page.sees("button.main:disabled");
    page.does(&json!(["fill", "label:has-text('who') input", "小马"]));
    page.sees("b:has-text('Greet 小马')");
    page.does(&json!(["reload"]));
    page.sees("b:has-text('Greet 小马')");
    page.click("button.main:has-text('Run this plan')");
    page.sees(".facts .status.good");
    let goal = env.show(&env.only_goal());
    let made = format!("{}/greeting.txt", goal["workspace"].as_str().unwrap());
    assert_eq!(fs::read_to_string(made).unwrap(), "你好 小马\n");

    // What was asked for is no draft any more.
    page.open(&format!("{origin}/#/new"));
    page.sees("textarea");
    assert_eq!(page.does(&json!(["value", "textarea"])), "");
    page.is_well(&origin);
}

/// It prints more than is kept of it, makes a file, and is not enough.
const FAILS: &str = r#"
title = "Not enough"
workspace = "out"

[[items]]
id = "print"
kind = "command"
argv = ["sh", "-c", "seq 1 200000; echo made > made.txt"]
effect = "idempotent"
max_retries = 0
gates = [{ kind = "file_exists", path = "other.txt" }]
"#;

#[test]
fn what_a_command_printed_is_shown_and_what_a_failed_goal_made_is_not_called_delivered() {
    let env = TestEnv::new();
    env.start_daemons();
    env.write("fails.toml", FAILS);
    let goal = env.detach(&["fails.toml"]);
    env.watch(&goal);
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/goal/{goal}"));
    page.sees(".facts .status.bad");
    page.sees("li.warn:has-text('Made, and not delivered: made.txt')");
    assert_eq!(page.does(&json!(["count", "li.good:has-text('elivered')"])), 0);
    page.click("li:has-text('ended with exit code 0') summary:has-text('What it printed')");
    page.sees("details.printed pre:has-text('200000')");
    page.sees("details.printed summary:has-text('bytes of the middle are not kept')");
    page.is_well(&origin);
}

/// Who reads further up in a conversation is left there; who is at its end sees what comes.
#[test]
fn a_conversation_stays_where_one_reads() {
    let long = "一行\n".repeat(80);
    let answers = [Reply::text(&long), Reply::text("第二个回答"), Reply::text("第三个回答")];
    let scripted = Scripted::saying([Conversation::new(When::tool("make_goal"), answers)]);
    let env = &scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.open(&format!("{origin}/#/chat"));
    page.does(&json!(["fill", "textarea", "一"]));
    page.press("Enter");
    page.sees("li.assistant:has-text('一行')");
    let is_at_end = |page: &mut Page| page.does(&json!(["below"])).as_i64() < Some(5);
    wait_until("the page is at its end", || is_at_end(&mut page).then_some(()));

    // Somebody else goes on with it, first while one reads its beginning, then at its end.
    let place = page.does(&json!(["url"]));
    let session = place.as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let mut client = env.connect();
    page.does(&json!(["scroll", 0]));
    client.answer("conversation.message", &json!({"sessionId": session, "message": "二"}));
    page.sees("li.assistant:has-text('第二个回答')");
    assert!(!is_at_end(&mut page), "it was left where it was");
    page.does(&json!(["scroll", 100_000]));
    client.answer("conversation.message", &json!({"sessionId": session, "message": "三"}));
    page.sees("li.assistant:has-text('第三个回答')");
    wait_until("the answer is in view", || is_at_end(&mut page).then_some(()));
    page.is_well(&origin);
}
