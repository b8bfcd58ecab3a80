//! The lane as a whole: what is told stands in the file, or is counted; and whatever becomes of the
//! file, whoever tells goes on.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::BoxFuture;
use pb_llm::{
    Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Finish, Listener, Price, Said, Usage,
};
use pb_model::Tier;
use pb_model::goal::CallEnd;
use pb_protocol::ipc::Frame;
use pb_runtime::config::{Content, Trace as Settings};
use pb_runtime::{Clock, Home, Ids};
use pb_store::{LogIdentity, TraceFilter, TraceReader, TraceRow};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::agent::scratch;
use crate::commands::Bell;
use crate::link::{self, LinkTask};
use crate::service::Config;

/// Longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A lane whose file lies in `folder`, and the task that would tell the gateway.
fn lane(folder: &Path) -> (Tracer, TraceTask, LinkTask) {
    lane_of(folder, Settings::default())
}

fn lane_of(folder: &Path, keep: Settings) -> (Tracer, TraceTask, LinkTask) {
    let home = Home::at(folder).unwrap();
    let config = Config {
        db: home.state_db(),
        socket: home.gateway_socket(),
        exe: "pb".into(),
        clock: Clock::System,
        ids: Ids::random(Clock::System),
        home,
    };
    let identity = LogIdentity { id: "log".to_owned(), generation: 1, incarnation: 1, schema: 1 };
    let (link, link_task) = link::link(config.clone(), &identity, Bell::default());
    let (tracer, task) = trace(config, keep, link);
    (tracer, task, link_task)
}

/// Everything in the trace of `folder`.
async fn written(folder: &Path) -> Vec<TraceRow> {
    read(folder).await.unwrap()
}

async fn read(folder: &Path) -> Result<Vec<TraceRow>, pb_store::Error> {
    let Some(reader) = TraceReader::open(&folder.join("trace.db")).await? else { return Ok(Vec::new()) };
    let (mut rows, mut pos) = (Vec::new(), 0);
    while pos < reader.last_pos().await? {
        let page = reader.after(pos, &TraceFilter::default(), 1000).await?;
        pos = page.passed;
        rows.extend(page.rows);
    }
    Ok(rows)
}

fn ended(count: u64) -> What {
    What::Shutdown { reason: "over".to_owned(), duration_ms: count }
}

/// Runs the task until `test` has ended, and to its end.
async fn beside<T>(task: TraceTask, test: impl Future<Output = T>) -> T {
    let stop = CancellationToken::new();
    let test = async {
        let result = test.await;
        stop.cancel();
        result
    };
    let both = async { tokio::join!(run(task, stop.clone()), test).1 };
    tokio::time::timeout(LIMIT, both).await.unwrap()
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await; // wait: another task rings no bell
        }
    };
    assert!(tokio::time::timeout(LIMIT, waiting).await.is_ok(), "waited in vain until {what}");
}

#[tokio::test]
async fn what_is_told_is_written_as_it_happened_and_then_rings() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, link) = lane(folder.path());
    link.be_connected();
    let file = "title = '写'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['true']";
    let state = scratch::begun(scratch::goal(file), Some("a"));
    let run = state.runs.first().unwrap();
    let about = About::step(run, 1);
    let what = What::tool_invoked(about, "命令", &json!({"argv": ["春"]}), None);
    tracer.note(Note { at_ms: 7, about, what });
    beside(task, async { tracer.tell(About::default(), || ended(1)) }).await;
    let rows = written(folder.path()).await;
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    let event = &first.event;
    assert_eq!((first.pos, event.at_ms, event.kind.as_str()), (1, 7, "tool.invoke"));
    let ids = [&event.goal, &event.item, &event.run, &event.step].map(|id| id.clone().unwrap());
    let (goal, item, step) =
        (run.goal_id.to_string(), run.item_id.unwrap().to_string(), format!("{}.1.1", run.id));
    assert_eq!(ids, [goal, item, run.id.to_string(), step.clone()]);
    assert_eq!((&event.span, &event.parent), (&about.span(), &about.parent()));
    let data: Value = serde_json::from_str(&event.data).unwrap();
    let told = json!({
        "invocationId": step, "toolName": "命令", "args": {"argv": ["春"]},
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "命令",
    });
    assert_eq!(data, told);
    assert_eq!((second.event.kind.as_str(), &second.event.goal), ("system.shutdown", &None));

    let of = |frame: Frame| match frame {
        Frame::DebugEvent(event) => (event.pos, event.id, event.timestamp, event.step_id),
        other => panic!("{other:?}"),
    };
    let expected =
        |row: &TraceRow| (Some(row.pos), row.event.id.clone(), row.event.at_ms, row.event.step.clone());
    let rung: Vec<_> = link.waiting().into_iter().map(of).collect();
    assert_eq!(rung, [expected(second)], "one bell for both");
}

#[tokio::test]
async fn what_comes_too_fast_is_dropped_and_counted_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane(folder.path());
    for count in 1..=5000 {
        tracer.tell(About::default(), || ended(count));
    }
    beside(task, async {}).await;
    let rows = written(folder.path()).await;
    let dropped = rows.iter().filter(|row| row.event.kind == "trace.dropped").collect::<Vec<_>>();
    let [dropped] = dropped.as_slice() else { panic!("{dropped:?}") };
    assert_eq!(dropped.event.data, json!({"count": 5000 + 1 - rows.len()}).to_string());
    assert_eq!(rows.len(), 4096 + 1, "the first ones are kept");
}

#[tokio::test]
async fn a_trace_that_is_deleted_is_made_anew_and_nothing_after_it_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane(folder.path());
    beside(task, async {
        for count in 1..=3 {
            tracer.tell(About::default(), || ended(count));
            until("it is written", async || read(folder.path()).await.is_ok_and(|rows| !rows.is_empty()))
                .await;
            for entry in std::fs::read_dir(folder.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        tracer.tell(About::default(), || ended(4));
    })
    .await;
    let rows = written(folder.path()).await;
    assert_eq!(
        rows.iter().map(|row| row.event.data.as_str()).collect::<Vec<_>>(),
        [r#"{"reason":"over","durationMs":4}"#]
    );
}

#[tokio::test]
async fn a_file_that_is_no_trace_is_left_alone_and_hurts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane(folder.path());
    let path = folder.path().join("trace.db");
    std::fs::write(&path, "my notes").unwrap();
    let waiting = Arc::clone(&tracer.waiting);
    beside(task, async {
        for count in 1..=1000 {
            tracer.tell(About::default(), || ended(count));
        }
        until("they are given up", async || waiting.dropped.load(Ordering::Relaxed) == 1000).await;
    })
    .await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "my notes");
}

#[tokio::test]
async fn who_keeps_nothing_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane_of(folder.path(), Settings { days: 0, ..Settings::default() });
    tracer.tell(About::default(), || ended(1));
    beside(task, async { tracer.tell(About::default(), || ended(2)) }).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A model that answers, fails or is silent.
#[derive(Debug)]
struct Stub(Option<Result<Answer, CallError>>);

impl ChatModel for Stub {
    fn name(&self) -> &'static str {
        "a/b"
    }

    fn price(&self) -> Option<Price> {
        None
    }

    fn context_tokens(&self) -> u64 {
        128_000
    }

    fn call<'a>(&'a self, _: &'a ChatRequest, _: Listener<'a>) -> BoxFuture<'a, Result<Answer, CallError>> {
        match self.0.clone() {
            Some(result) => Box::pin(std::future::ready(result)),
            None => Box::pin(std::future::pending()),
        }
    }
}

#[tokio::test]
async fn each_call_of_a_model_is_a_span_of_its_own_also_when_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane(folder.path());
    let file = "title = 'a'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
    let state = scratch::begun(scratch::goal(file), Some("a"));
    let step = About::step(state.runs.first().unwrap(), 1);
    let error = CallError {
        model: "a/b".to_owned(),
        kind: CallErrorKind::Overloaded,
        message: "忙".to_owned(),
        retry_after: None,
    };
    let answer = Answer {
        said: Said { text: "好".to_owned(), ..Said::default() },
        finish: Finish::Stop,
        usage: Some(Usage { input_tokens: 3, output_tokens: 4 }),
        model: "a/b".to_owned(),
    };
    let models: Vec<Arc<dyn ChatModel>> =
        vec![Arc::new(Stub(Some(Err(error)))), Arc::new(Stub(Some(Ok(answer)))), Arc::new(Stub(None))];
    let asking = Asking { tracer, about: step, tier: Tier::Medium };
    let request = ChatRequest { messages: Vec::new(), tools: Vec::new(), output_tokens_max: 9 };
    beside(task, async {
        for model in traced(&asking, &models, &request) {
            // The silent one is let go of.
            let mut listener = |_| {};
            let _ = tokio::time::timeout(Duration::from_millis(5), model.call(&request, &mut listener)).await;
        }
    })
    .await;
    let rows = written(folder.path()).await;
    let calls: Vec<_> = (1..=3).map(|number| step.call(number)).collect();
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let number = calls.iter().position(|call| call.span() == row.event.span);
            let parent = if number.is_some() { step.span() } else { step.parent() };
            assert_eq!(row.event.parent, parent);
            format!("{} {}", number.map_or(0, |number| number + 1), row.event.kind)
        })
        .collect();
    assert_eq!(
        told,
        [
            "0 llm.tier.request",
            "1 llm.model.attempt",
            "1 llm.request",
            "1 llm.error",
            "1 llm.model.failed",
            "0 llm.model.switched",
            "2 llm.model.attempt",
            "2 llm.request",
            "2 llm.response",
            "2 llm.tokens",
            "2 llm.model.success",
            "0 llm.model.switched",
            "3 llm.model.attempt",
            "3 llm.request",
            "3 llm.error",
            "3 llm.model.failed",
        ]
    );
}

/// A key of this shape is nobody's.
const KEY: &str = "sk-proj-0123456789abcdefghijklmnop";

#[tokio::test]
async fn of_the_words_of_others_there_is_what_was_asked_for_and_never_a_key() {
    let file = "title = 'a'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
    let state = scratch::begun(scratch::goal(file), Some("a"));
    let about = About::step(state.runs.first().unwrap(), 1);
    let long = format!("{}天 {KEY}", "春".repeat(4096));
    for (content, holds_short, holds_long) in
        [(Content::Off, false, false), (Content::Redacted, true, false), (Content::Full, true, true)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (tracer, task, _link) = lane_of(folder.path(), Settings { content, ..Settings::default() });
        beside(task, async {
            let args = json!({"content": format!("短 {KEY}"), "api_key": "hunter2hunter2"});
            tracer.tell(about, || What::tool_invoked(about, "write", &args, None));
            tracer.tell(about, || What::tool_ended(about, "write", (CallEnd::Ok, &long), 1));
            tracer.tell(about, || What::decided("write", "denied", format!("no {KEY}")));
        })
        .await;
        let rows = written(folder.path()).await;
        assert_eq!(rows.len(), 3);
        let all: String = rows.iter().map(|row| row.event.data.as_str()).collect();
        assert!(!all.contains(&KEY[..12]) && !all.contains("hunter2"), "{content:?}: {all}");
        assert_eq!((all.contains("短"), all.contains('天')), (holds_short, holds_long), "{content:?}");
        let file = std::fs::read(folder.path().join("trace.db")).unwrap();
        assert!(!String::from_utf8_lossy(&file).contains(&KEY[..12]), "{content:?}");
    }
}

#[tokio::test]
async fn words_that_wait_are_bounded_and_what_has_none_still_finds_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (tracer, task, _link) = lane(folder.path());
    let text = "x".repeat(1024 * 1024);
    for _ in 0..400 {
        tracer.tell(About::default(), || What::decided("a", "denied", text.as_str()));
    }
    tracer.tell(About::default(), || ended(1));
    beside(task, async {}).await;
    let rows = written(folder.path()).await;
    let count = |kind: &str| rows.iter().filter(|row| row.event.kind == kind).count();
    // Each is cut where it is told, to what `full` may show and a key beyond that.
    assert_eq!(count("policy.decided"), (16 * 1024 * 1024_usize).div_ceil(65 * 1024));
    assert_eq!((count("system.shutdown"), count("trace.dropped")), (1, 1));
    assert_eq!(tracer.waiting.bytes.load(Ordering::Relaxed), 0);
}

/// The table of docs/TRACE.md, as the code has it.
fn table() -> String {
    let mut table = String::from("| event | source | span | says | keys |\n|---|---|---|---|---|\n");
    for kind in what::KINDS {
        let ids = if kind.has_ids { vec!["*ids*".to_owned()] } else { Vec::new() };
        let keys = kind.keys.iter().map(|(key, word)| format!("`{key}` {word}"));
        let keys: Vec<String> = ids.into_iter().chain(keys).collect();
        let span = kind.level.words();
        let says = kind.about.trim();
        writeln!(table, "| `{}` | {} | {span} | {says} | {} |", kind.name, kind.source, keys.join(", "))
            .unwrap();
    }
    table
}

#[test]
fn the_page_lists_every_kind_with_its_keys_and_no_other() {
    let page = include_str!("../../../../docs/TRACE.md");
    let (_, rest) = page.split_once("<!-- kinds -->\n").unwrap();
    let (listed, _) = rest.split_once("<!-- end of kinds -->").unwrap();
    if listed.trim() != table().trim() {
        let path = std::env::temp_dir().join("pb-trace-kinds.md");
        std::fs::write(&path, table()).unwrap();
        panic!("the table of docs/TRACE.md is not that of the code, which is in {}", path.display());
    }
}

#[test]
fn a_name_and_its_source_are_told_once() {
    let mut names: Vec<_> = what::KINDS.iter().map(|kind| kind.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for kind in what::KINDS {
        let mut keys: Vec<_> = kind.keys.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), kind.keys.len(), "{}", kind.name);
    }
}
