//! `kill -9` in the middle of an agent's work: a continued conversation and one that was never
//! interrupted are the same, no answer is paid for twice, and what may not be repeated is not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use pb_model::goal::{Call, Doing, GoalState, Run, RunStage};
use pb_store::Step;
use pb_testkit::model_server::{ModelServer, Reply, Script};
use serde_json::{Value, json};

use crate::agent_support::{Log, agent_goal, of_kind, poll_until, with_model, writes};
use crate::env::{TestEnv, wait_until};
use crate::machine::{assert_gapless, json_lines};

/// How many machines are killed at the same time.
const AT_ONCE: usize = 4;

/// The commands that [`fix_the_bug`] runs, each with a witness file of this name.
const COMMANDS: [&str; 3] = ["first", "second", "third"];

/// Arguments of `run_command`: leaves a witness, waits for the test, then goes on.
fn command(name: &str, then: &str) -> Value {
    let wait = format!("until [ -e ../go/{name} ]; do sleep 0.01; done");
    json!({"argv": ["sh", "-ec", format!("mkdir -p witness; echo x >> witness/{name}; {wait}; {then}")]})
}

/// What a good model does about a bug: look, see it fail, mend it, write it down, see it pass, do
/// the rest at once, and say so. Each answer waits until the test lets it go.
fn fix_the_bug() -> Vec<Reply> {
    let check = "test \"$(sh add.sh 2 3)\" = 5";
    let edit = json!({"path": "add.sh", "edits": [{"old": "$1 - $2", "new": "$1 + $2"}]});
    let note = |path: &str| json!({"path": path, "content": format!("{path}: 减号改成加号\n")});
    let replies = [
        Reply::call("read_file", json!({"path": "add.sh"})),
        Reply::call("run_command", command("first", check)),
        Reply::call("edit_file", edit),
        Reply { text: Some("现在写下来".to_owned()), ..Reply::call("write_file", note("NOTES.md")) },
        Reply::call("run_command", command("second", check)),
        Reply::call("write_file", note("CHANGES.md"))
            .and_call("run_command", command("third", "cp add.sh built.sh"))
            .and_call("read_file", json!({"path": "built.sh"}))
            .and_call("write_file", note("LAST.md")),
        Reply::call("finish", json!({"summary": "add.sh adds; I ran it"})),
    ];
    let replies = replies.into_iter().enumerate();
    replies.map(|(turn, reply)| reply.usage(100 * (turn as u64 + 1), 10).hold(hold(turn))).collect()
}

fn hold(turn: usize) -> String {
    format!("turn {turn}")
}

const GATES: &str = r#"
effect = "idempotent"
gates = [
  { kind = "command", argv = ["sh", "-ec", "test \"$(sh built.sh 2 3)\" = 5"] },
  { kind = "file_contains", path = "NOTES.md", text = "加号" },
  { kind = "file_contains", path = "LAST.md", text = "加号" },
]
"#;

/// A machine on which a bug is being fixed.
struct Fixing {
    env: TestEnv,
    server: ModelServer,
    log: Log,
    goal: String,
    turns: usize,
}

impl Fixing {
    fn begin() -> Self {
        let replies = fix_the_bug();
        let turns = replies.len();
        let (env, server) = with_model(Script::of(replies));
        fs::create_dir_all(env.file("out")).unwrap();
        fs::create_dir_all(env.file("go")).unwrap();
        fs::write(env.file("out/add.sh"), "echo $(($1 - $2))\n").unwrap();
        fs::write(env.file("out/.gitignore"), "witness/\n").unwrap();
        env.write("goal.toml", &agent_goal("Fix the bug", "fix", GATES));
        let goal = env.detach(&["goal.toml"]);
        let log = Log::of(&env);
        Self { env, server, log, goal, turns }
    }

    /// Lets the work go on step by step until there is enough of it.
    fn drive<T>(&self, mut enough: impl FnMut(&Self) -> Option<T>) -> T {
        poll_until("there is enough of the work", || {
            if let Some(found) = enough(self) {
                return Some(found);
            }
            self.server.requests().iter().for_each(|request| self.server.release(&hold(request.turn)));
            COMMANDS.into_iter().filter(|name| self.witness(name) > 0).for_each(|name| self.let_go(name));
            None
        })
    }

    fn let_go(&self, name: &str) {
        fs::write(self.env.file("go").join(name), "").unwrap();
    }

    fn witness(&self, name: &str) -> usize {
        self.env.witnesses("out", [name])[0]
    }

    fn run(&self) -> Option<Run> {
        self.log.state(&self.goal).and_then(|state| running(&state).cloned())
    }

    /// Waits until the call that the journal has begun is really under way: the model is asked, and then
    /// for which answer, or the command runs. Tools that only touch files are too quick to be caught.
    fn wait_in_flight(&self) -> Option<usize> {
        let run = self.run()?;
        match doing(&run)? {
            Doing::Thinking { .. } => {
                let turn = run.conversation?.turns as usize;
                wait_until("the model is asked", || (self.asked(turn) > 0).then_some(()));
                return Some(turn);
            }
            Doing::Acting { .. } => {
                let name = run.risky_call().and_then(command_name)?;
                wait_until("the command runs", || (self.witness(name) > 0).then_some(()));
            }
            Doing::Composing { .. } => {}
        }
        None
    }

    /// How often the model was asked for this answer.
    fn asked(&self, turn: usize) -> usize {
        self.server.requests().iter().filter(|request| request.turn == turn).count()
    }

    /// How the goal ended and everything that was told and left on the way.
    fn end(self) -> Ended {
        let watched = self.env.pb(["goal", "watch", &self.goal, "--json"]);
        assert_eq!(watched.exit, Some(0), "{watched}");
        let events = json_lines(&watched.raw_stdout);
        assert_gapless(&events);
        let told = self.env.show(&self.goal);
        assert_eq!((&told["status"], &told["verdict"]), (&"completed".into(), &"verified".into()));
        let charges = |only_assumed: bool| -> u64 {
            let calls = [of_kind(&events, "model.answered"), of_kind(&events, "model.failed")].concat();
            let charged = calls.iter().map(|event| &event["data"]);
            charged
                .filter(|data| !only_assumed || data["assumed"] == true)
                .map(|data| data["tokens"].as_u64().unwrap())
                .sum()
        };
        assert_eq!(
            (&told["spent_tokens"], &told["assumed_tokens"]),
            (&charges(false).into(), &charges(true).into())
        );
        assert_eq!(told["spent_turns"], self.turns);
        let requests = self.server.requests();
        let bodies = |turn: usize| {
            let of_turn = requests.iter().filter(move |request| request.turn == turn);
            of_turn.map(|request| request.body.clone()).collect()
        };
        assert!(requests.iter().all(|request| request.turn < self.turns), "the model was asked too often");
        Ended {
            told: events.iter().map(in_words).collect(),
            assumed: of_kind(&events, "model.failed").iter().map(|event| event["data"].clone()).collect(),
            reserved: of_kind(&events, "model.requested").iter().map(|event| event["data"].clone()).collect(),
            asked: (0..self.turns).map(bodies).collect(),
            steps: self.log.steps(&self.goal),
            files: files(&self.env.file("out")),
            witnesses: COMMANDS.map(|name| self.witness(name)),
        }
    }
}

/// The run that has not ended.
fn running(state: &GoalState) -> Option<&Run> {
    state.running().next()
}

/// What the run's conversation is at, while it goes on.
fn doing(run: &Run) -> Option<Doing> {
    run.conversation.as_ref().filter(|_| run.stage == RunStage::Executing).map(|talk| talk.doing.clone())
}

/// The name of the command that a call runs.
fn command_name(call: &Call) -> Option<&'static str> {
    let runs = |name: &&str| call.tool == "run_command" && call.title.contains(&format!("witness/{name};"));
    COMMANDS.into_iter().find(runs)
}

/// Everything that a goal has told, asked, written and cost.
struct Ended {
    /// Its events, a line each.
    told: Vec<String>,
    /// What failed calls of the model were charged.
    assumed: Vec<Value>,
    /// What was put aside for each call.
    reserved: Vec<Value>,
    /// The bodies of the requests for each answer.
    asked: Vec<Vec<Value>>,
    steps: Vec<Step>,
    /// The content of each file, but of the witnesses.
    files: BTreeMap<String, String>,
    witnesses: [usize; 3],
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    files.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect()
}

/// An event in a line that is the same in every run.
fn in_words(event: &Value) -> String {
    let kind = event["event"].as_str().unwrap();
    let data = &event["data"];
    match kind {
        "tool.completed" => {
            let again = if data["again"] == true { " again" } else { "" };
            format!("{kind} {}: {}{again}", data["tool"].as_str().unwrap(), data["outcome"].as_str().unwrap())
        }
        "run.continued" => format!("{kind}, ran again: {}", data["ranAgain"]),
        "model.failed" => format!("{kind}, assumed: {}", data["assumed"]),
        "artifact.created" => format!("{kind} {}", data["artifact"]["file_path"]),
        "gate.completed" => format!("{kind} {}: {}", data["gate"]["name"], data["gate"]["passed"]),
        _ => kind.to_owned(),
    }
}

/// What the log and the world were like when the scheduler was dead.
struct Death {
    /// How often the journal had been written to, at least.
    k: usize,
    /// Events that had happened.
    events: usize,
    run: Option<Run>,
    open_steps: usize,
    /// The answer that was asked for, if that was seen.
    answering: Option<usize>,
    witnesses: [usize; 3],
}

impl Death {
    /// Kills the scheduler when the journal was written to `k` times. If more was written with
    /// that in one commit, at once; else when what was begun is under way.
    fn at(fixing: &Fixing, k: usize) -> Self {
        let count = fixing.drive(|fixing| {
            let count = writes(&fixing.log.steps(&fixing.goal));
            (count >= k).then_some(count)
        });
        let answering = if count == k { fixing.wait_in_flight() } else { None };
        fixing.env.kill9("scheduler");
        wait_until("its tools are gone", || (fixing.env.processes().len() == 1).then_some(()));
        let state = fixing.log.state(&fixing.goal).unwrap();
        Self {
            k,
            events: fixing.log.last_pos(),
            run: running(&state).cloned(),
            open_steps: open(&fixing.log.steps(&fixing.goal)),
            answering,
            witnesses: COMMANDS.map(|name| fixing.witness(name)),
        }
    }

    fn doing(&self) -> Option<Doing> {
        self.run.as_ref().and_then(doing)
    }

    /// The answer that was asked for.
    fn lost_turn(&self) -> Option<usize> {
        let thinking = matches!(self.doing(), Some(Doing::Thinking { .. }));
        thinking.then(|| self.run.as_ref().unwrap().conversation.as_ref().unwrap().turns as usize)
    }

    /// The call whose outcome nobody knew.
    fn unknown_call(&self) -> Option<&Call> {
        self.run.as_ref().filter(|run| run.stage == RunStage::Executing)?.risky_call()
    }

    /// What is told, after what was told before, and of an undisturbed goal from there on.
    fn expected(&self, undisturbed: &Ended) -> Vec<String> {
        let (before, after) = undisturbed.told.split_at(self.events);
        let mut between = Vec::new();
        let mut after = after.to_vec();
        if self.run.is_some() {
            between.extend(["goal.updated", "run.continued, ran again: false"]);
        }
        if self.lost_turn().is_some() {
            between.extend(["model.failed, assumed: true", "model.requested"]);
        }
        if let Some(call) = self.unknown_call() {
            between.push("run.continued, ran again: true");
            let its = |line: &&mut String| line.starts_with(&format!("tool.completed {}:", call.tool));
            let line = after.iter_mut().find(its).unwrap();
            line.push_str(" again");
        }
        let between = between.into_iter().map(str::to_owned);
        before.iter().cloned().chain(between).chain(after).collect()
    }

    /// Compares how it ended with a goal that nobody disturbed.
    fn check(&self, ended: &Ended, undisturbed: &Ended) {
        let when = format!("killed at write {}, {:?}", self.k, self.doing());
        assert_eq!(ended.told, self.expected(undisturbed), "{when}");
        assert_eq!(ended.files, undisturbed.files, "{when}");
        assert_eq!(open(&ended.steps), self.open_steps, "what is new in the journal has its result; {when}");
        self.check_charges(ended);
        self.check_requests(ended, undisturbed);
        // What was under way is done again; everything else once.
        let unknown = self.unknown_call().and_then(command_name);
        let expected = [0, 1, 2].map(|i| match self.witnesses[i] {
            before if unknown == Some(COMMANDS[i]) => before + 1,
            _ => 1,
        });
        assert_eq!(ended.witnesses, expected, "{when}");
    }

    fn check_charges(&self, ended: &Ended) {
        let Some(Doing::Thinking { n }) = self.doing() else {
            assert_eq!(ended.assumed, Vec::<Value>::new());
            return;
        };
        let put_aside = ended.reserved.iter().find(|call| call["step"] == n).unwrap();
        let charged: Vec<_> = ended.assumed.iter().map(|call| (&call["step"], &call["tokens"])).collect();
        assert_eq!(charged, [(&n.into(), &put_aside["reservedTokens"])]);
    }

    fn check_requests(&self, ended: &Ended, undisturbed: &Ended) {
        let again = self.unknown_call().map(|call| call.id.as_str());
        let without = |body: &Value| {
            let mut body = body.clone();
            for message in body["messages"].as_array_mut().unwrap() {
                if again.is_some_and(|id| message["tool_call_id"] == id) {
                    message["content"] = Value::Null; // It may say that it was done again.
                }
            }
            body
        };
        for (turn, (asked, once)) in ended.asked.iter().zip(&undisturbed.asked).enumerate() {
            let most = if self.lost_turn() == Some(turn) { 2 } else { 1 };
            let least = if self.answering == Some(turn) { most } else { 1 };
            assert!((least..=most).contains(&asked.len()), "answer {turn} was asked {} times", asked.len());
            for body in asked {
                assert_eq!(without(body), without(&once[0]), "answer {turn}");
            }
        }
    }
}

/// Steps without a result.
fn open(steps: &[Step]) -> usize {
    steps.iter().filter(|step| step.result.is_none()).count()
}

#[test]
fn killed_at_any_write_of_its_journal_an_agent_goes_on_as_if_nothing_had_happened() {
    let fixing = Fixing::begin();
    fixing.drive(|fixing| fixing.log.state(&fixing.goal)?.goal.verdict);
    let undisturbed = fixing.end();
    assert_eq!((undisturbed.witnesses, open(&undisturbed.steps)), ([1, 1, 1], 0));
    assert!(undisturbed.asked.iter().all(|asked| asked.len() == 1));
    let all = writes(&undisturbed.steps);
    assert_eq!(all, 34, "7 calls of a model, 10 of tools");

    let next = AtomicUsize::new(1);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    if k > all {
                        break;
                    }
                    let fixing = Fixing::begin();
                    let death = Death::at(&fixing, k);
                    fixing.env.start_daemon("scheduler");
                    (0..fixing.turns).for_each(|turn| fixing.server.release(&hold(turn)));
                    for name in COMMANDS {
                        fixing.let_go(name);
                    }
                    death.check(&fixing.end(), &undisturbed);
                }
            });
        }
    });
}
