//! docs/GOAL-FILES.md: its examples run, and it names every key that there is, and no other.

mod keys;
mod page;

use std::fs;
use std::path::PathBuf;

use pb_testkit::model_server::{Conversation, ModelServer, Reply, Script, When, Wire};
use serde_json::{Value, json};

use self::page::{Example, Page};
use crate::env::{TestEnv, wait_until};
use crate::model::{finish, plan, provider, write};
use crate::tools;

/// The model that the page names; here a script.
const MODEL: &str = "ollama/qwen2.5:7b";

/// An agent that does what one prompt of the page asks.
fn worker(prompt: &str, replies: impl IntoIterator<Item = Reply>) -> Conversation {
    let when = When { tool: Some("finish".to_owned()), contains: Some(prompt.to_owned()) };
    Conversation::new(when, replies)
}

fn planner() -> Conversation {
    let asks = Reply::call(
        "ask_person",
        json!({"questions": [{"id": "format", "question": "报告要什么格式？", "why": "it decides what is written",
                              "options": ["txt", "md"], "default": "txt"}]}),
    )
    .usage(1000, 100);
    let items = json!([{
        "id": "write", "kind": "command", "argv": ["sh", "-c", "echo 周报 > report.md"], "effect": "idempotent",
        "gates": [{"kind": "file_contains", "path": "report.md", "text": "周报"}],
    }]);
    Conversation::new(When::tool("submit_plan"), [asks, plan(&items)])
}

fn reviewer() -> Conversation {
    let finding =
        |point: u32, seen: &str| json!({"point": point, "holds": true, "seen": seen, "files": ["poem.md"]});
    let findings =
        [finding(1, "the first line names a pony"), finding(2, "有两行，我数过了：第一行和第二行")];
    let looks = Reply::call("read_file", json!({"path": "poem.md"})).usage(600, 50);
    let submits = Reply::call("submit_review", json!({ "findings": findings })).usage(600, 50);
    Conversation::new(When::tool("submit_review"), [looks, submits])
}

fn conversations() -> [Conversation; 6] {
    let page = json!({"id": "小马", "kind": "command", "argv": ["sh", "-c", "echo 小马 > 小马.md"],
                      "effect": "idempotent", "gates": [{"kind": "file_exists", "path": "小马.md"}]});
    let adds = Reply::call("add_items", json!({ "items": [page] })).usage(700, 60);
    let runs = Reply::call("run_command", json!({"argv": ["sh", "deploy.sh"]})).usage(700, 30);
    [
        planner(),
        reviewer(),
        worker("Write a name for a pony", [write("name.txt", "小马\n"), finish("named")]),
        worker("Write deploy.sh", [write("deploy.sh", "touch done\n"), runs, finish("deployed")]),
        worker("Write the names of the ponies", [adds, write("list.txt", "小马\n"), finish("one pony")]),
        worker("Write a poem about a pony", [write("poem.md", "小马\n跑\n"), finish("a poem")]),
    ]
}

/// A machine with the model that the page names, and both daemons.
fn machine() -> (TestEnv, ModelServer) {
    let env = TestEnv::new();
    let script = Script { model: "qwen2.5:7b".to_owned(), conversations: conversations().into() };
    let model = ModelServer::start(script).unwrap();
    let tiers = ["simple", "medium", "complex"].map(|tier| format!("{tier} = \"{MODEL}\"\n")).concat();
    let provider = provider("ollama", Wire::OpenAi, &model);
    let prices = format!("[prices.\"{MODEL}\"]\ninput = 0.10\noutput = 0.20\n");
    env.configure(&format!("{provider}\n[models]\n{tiers}\n{prices}"));
    env.start_daemons();
    (env, model)
}

/// Puts an example into a folder of its own, with what the page says is beside it.
fn lay_out(env: &TestEnv, page: &Page, number: usize, example: &Example) -> PathBuf {
    let folder = env.file(&format!("example-{number}"));
    let beside = page.files.iter().map(|(name, text)| (name.as_str(), text));
    for (name, text) in beside.chain([("goal.toml", &example.text)]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Hands an example over; `inputs` are given where it declares them.
fn start(
    env: &TestEnv,
    page: &Page,
    (number, example): (usize, &Example),
    inputs: &[(&str, String)],
) -> String {
    let folder = lay_out(env, page, number, example);
    let goal: toml::Table = toml::from_str(&example.text).unwrap();
    let declares = |name: &str| goal.get("inputs").is_some_and(|inputs| inputs.get(name).is_some());
    let given = inputs.iter().filter(|(name, _)| declares(name));
    let given = given.flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]);
    let arguments = ["run", "--detach", "goal.toml"].map(str::to_owned).into_iter().chain(given);
    let ran = env.spawn_in(&folder, arguments).wait();
    assert_eq!(ran.exit, Some(0), "line {}: {ran}", example.line);
    ran.raw_stdout.trim_end().to_owned()
}

/// The question of a goal that nobody has answered, as soon as there is one.
fn next_question(env: &TestEnv, goal: &str, example: &Example) -> String {
    wait_until(&format!("the example of line {} asks", example.line), || {
        let told = env.show(goal);
        let asked = told["escalations"].as_array().unwrap();
        let open = asked.iter().find(|one| one["resolution_action"].is_null())?;
        open["id"].as_str().map(str::to_owned)
    })
}

fn answer(env: &TestEnv, question: &str, answer: &str) {
    let how = if answer.contains('=') { vec!["--set", answer] } else { vec![answer] };
    let ran = env.pb([&["inbox", "answer", question], how.as_slice()].concat());
    assert_eq!(ran.exit, Some(0), "{answer}: {ran}");
}

/// The goal when it has ended, or asks what nobody will answer.
fn ended(env: &TestEnv, goal: &str, example: &Example) -> Value {
    wait_until(&format!("the example of line {} ends", example.line), || {
        let told = env.show(goal);
        let asked = told["escalations"].as_array().unwrap();
        let waits = asked.iter().any(|one| one["resolution_action"].is_null());
        let over = matches!(told["status"].as_str(), Some("completed" | "failed" | "cancelled"));
        (over || waits).then_some(told)
    })
}

#[test]
fn every_example_ends_as_the_page_says() {
    let page = Page::read();
    let python = tools::python_path();
    let (env, _model) = machine();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut inputs = vec![("port", free.to_string())];
    inputs.extend(python.clone().map(|python| ("python", python)));
    // What needs a program that is not there has said so.
    let can_run = |example: &Example| python.is_some() || !example.text.contains("{{python}}");
    let examples: Vec<&Example> = page.examples.iter().filter(|example| can_run(example)).collect();
    let goals: Vec<(String, &Example)> = examples
        .into_iter()
        .enumerate()
        .map(|(number, example)| (start(&env, &page, (number, example), &inputs), example))
        .collect();
    for (goal, example) in &goals {
        for said in &example.answers {
            answer(&env, &next_question(&env, goal, example), said);
        }
    }
    for (goal, example) in &goals {
        let told = ended(&env, goal, example);
        let end = (told["status"].as_str().unwrap(), told["verdict"].as_str().unwrap_or("none"));
        let report = || env.pb(["goal", "show", goal]).to_string();
        assert_eq!(end, ("completed", example.end.as_str()), "line {}:\n{}", example.line, report());
        let asked = told["escalations"].as_array().unwrap().len();
        assert_eq!(asked, example.answers.len(), "line {}: what is asked stands in the page", example.line);
    }
}
