//! One case: a home, its processes, one goal, one kill, and what came of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_model::GoalId;
use pb_model::goal::{Answer, GoalState, GoalStatus};
use pb_model::schedule::SlotResult;
use pb_runtime::clock::TEST_CLOCK;
use pb_runtime::faultpoints::KILL_AT;
use pb_runtime::{Clock, Home};
use pb_store::{GoalFilter, LogReader};
use pb_testkit::model_server::{ModelServer, Script, Wire};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::ended::{self, Ended};
use super::goals::{Act, IN_WORDS, SCHEDULED, Scenario, Seen};
use super::planned::ANSWER_WITHIN_S;
use crate::history::History;
use crate::processes::{self, Process};
use crate::{Run, Tally, asked, follower};

/// How long a goal may take to its end.
const END_MAX: Duration = Duration::from_mins(1);
/// Pause between two looks at the store, which rings no bell here.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// Where the scheduler is killed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kill {
    pub(super) place: &'static str,
    /// The n-th time that it comes there.
    pub(super) nth: u64,
}

/// A goal, and a kill.
pub(super) struct Case<'a> {
    pub(super) run: &'a Run,
    pub(super) scenario: &'static Scenario,
    pub(super) kill: Option<Kill>,
}

impl Case<'_> {
    pub(super) fn name(&self) -> String {
        match self.kill {
            Some(Kill { place, nth }) => format!("{}-{place}-{nth}", self.scenario.name),
            None => format!("{}-undisturbed", self.scenario.name),
        }
    }

    /// Lives it to its end. `None` when the goal ended before the kill.
    pub(super) fn live(&self, tally: &mut Tally) -> anyhow::Result<Option<Ended>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let live = async {
            let mut machine = Processes::set(self)?;
            let goal = machine.submit(self).await?;
            let state = machine.live_to_end(self, goal).await?;
            if self.kill.is_some() && !machine.was_killed {
                return anyhow::Ok(None);
            }
            machine.audit(self, &state, tally).await?;
            tally.cases += 1;
            Ok(Some(Ended::of(&state, &machine.folder.join("witness"))?))
        };
        runtime.block_on(live).with_context(|| self.name())
    }
}

/// The processes of a case.
struct Processes {
    home: Home,
    /// Folder of the workspace and of the witnesses.
    folder: PathBuf,
    model: ModelServer,
    _gateway: Process,
    scheduler: Process,
    was_killed: bool,
    acted: Vec<(Act, usize)>,
    /// What was done already when a person was about to say yes to it.
    early: Option<String>,
}

impl Processes {
    fn set(case: &Case<'_>) -> anyhow::Result<Self> {
        let name = case.name();
        let home = processes::home(case.run, &name)?;
        let folder = case.run.folder.join(format!("{name}.work"));
        for part in ["workspace", "witness"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        let witness = folder.join("witness");
        let script: Script =
            serde_json::from_str(&at(&serde_json::to_string(&(case.scenario.script)())?, &witness))?;
        let model = ModelServer::start(script)?;
        let url = model.base_url(Wire::OpenAi);
        // The witnesses stand outside of the workspace, where tools may write: as a tool's cache.
        let config = format!(
            "[providers.scripted]\nkind = \"openai\"\nbase_url = \"{url}\"\n[models]\nmedium = \"scripted/scripted\"\n\
             [sandbox]\nallow_unconfined_agents = true\ntool_caches = [{:?}]\n",
            witness.to_str().context("the folder's name is no text")?
        );
        std::fs::write(home.config(), config)?;
        let mut gateway = processes::gateway(case.run, &home)?;
        processes::gateway_ready(&mut gateway, &home)?;
        let kill = case.kill.map(|kill| (KILL_AT, format!("{}:{}", kill.place, kill.nth)));
        if case.scenario.name == SCHEDULED {
            std::fs::write(clock_of(&home), before_a_slot().to_string())?;
        }
        let scheduler = scheduler(case, &home, kill)?;
        Ok(Self {
            home,
            folder,
            model,
            _gateway: gateway,
            scheduler,
            was_killed: false,
            acted: Vec::new(),
            early: None,
        })
    }

    async fn submit(&mut self, case: &Case<'_>) -> anyhow::Result<GoalId> {
        let mut goal = json!({
            "title": case.scenario.name,
            "description": "a goal of the kill matrix 杀",
            "workspace": self.folder.join("workspace"),
            "items": (case.scenario.items)(),
            "idempotencyKey": "the goal",
        });
        if let (Some(goal), Value::Object(more)) = (goal.as_object_mut(), (case.scenario.more)()) {
            goal.extend(more);
        }
        let goal: Value = serde_json::from_str(&at(&goal.to_string(), &self.folder.join("witness")))?;
        if case.scenario.name == SCHEDULED {
            return self.schedule(case, &goal).await;
        }
        asked::submit(&self.home, &goal).await
    }

    /// Adds a schedule of which a slot comes in a moment; the goal of that slot.
    async fn schedule(&mut self, case: &Case<'_>, goal: &Value) -> anyhow::Result<GoalId> {
        let timing = json!({"kind": "cron", "expression": "* * * * *", "zone": "UTC"});
        let schedule =
            json!({"goal": goal, "timing": timing, "missed": "once", "idempotencyKey": "the schedule"});
        follower::call(&self.home, "schedule.add", &schedule).await?;
        let began = Instant::now();
        loop {
            self.start_again(case)?;
            if let Ok(log) = LogReader::open(&self.home.state_db()).await
                && let (goals, 1) = log.goals(GoalFilter { limit: 1, ..GoalFilter::default() }).await?
                && let Some(goal) = goals.first()
            {
                return Ok(goal.id);
            }
            if began.elapsed() > END_MAX {
                bail!("I9: no slot was claimed");
            }
            sleep(LOOK_AGAIN).await; // wait: the state is in another process's file
        }
    }

    /// Starts the scheduler again, if it was killed.
    fn start_again(&mut self, case: &Case<'_>) -> anyhow::Result<()> {
        let Some(status) = self.scheduler.ended()? else { return Ok(()) };
        if case.kill.is_none() || self.was_killed {
            bail!("the scheduler ended with {status}");
        }
        self.was_killed = true;
        self.scheduler = scheduler(case, &self.home, None)?;
        Ok(())
    }

    /// Lets it live to its end: a person acts, a scheduler that was killed is started again.
    async fn live_to_end(&mut self, case: &Case<'_>, goal: GoalId) -> anyhow::Result<GoalState> {
        let began = Instant::now();
        loop {
            // What time does, it does as well while nobody is there to see it.
            if let Some(state) = asked::state(&self.home, goal).await
                && self.wanted(case, &state) == Some(Act::Wait)
                && self.acted.is_empty()
            {
                std::fs::write(clock_of(&self.home), (2_000 * ANSWER_WITHIN_S).to_string())?;
                self.acted.push((Act::Wait, state.escalations.len()));
            }
            self.start_again(case)?;
            let state = asked::state(&self.home, goal).await;
            if let Some(state) = &state {
                let over = match state.goal.status {
                    GoalStatus::Completed | GoalStatus::Failed | GoalStatus::Cancelled => true,
                    GoalStatus::Queued | GoalStatus::Active | GoalStatus::Blocked => false,
                };
                if over {
                    return Ok(state.clone());
                }
                self.act(case, state).await;
            }
            if began.elapsed() > END_MAX {
                bail!("I9: it has not ended: {state:?}");
            }
            sleep(LOOK_AGAIN).await; // wait: the state is in another process's file
        }
    }

    /// What a person would do who sees this.
    fn wanted(&self, case: &Case<'_>, state: &GoalState) -> Option<Act> {
        let witness = self.folder.join("witness");
        let has_witness = |name: &str| witness.join(name).exists();
        (case.scenario.person)(&Seen { state, has_witness: &has_witness })
    }

    /// A person acts once on what they see; whether that was heard is seen in the state.
    async fn act(&mut self, case: &Case<'_>, state: &GoalState) {
        let Some(act) = self.wanted(case, state) else { return };
        let open = state.escalations.len();
        if self.acted.contains(&(act, open)) {
            return; // It is in the inbox, and taken when a scheduler runs.
        }
        let goal = state.goal.id;
        let (method, params) = match act {
            Act::Answer(answer) => ("goal.resume", json!({"goalId": goal, "answer": answer})),
            Act::Words(words) => {
                let Some(asked) = state.open_escalations().next() else { return };
                let data = json!({"answers": {"format": words}});
                let answer = json!({"escalationId": asked.id, "action": Answer::UserInput, "data": data});
                ("escalation.respond", answer)
            }
            Act::Cancel => ("goal.cancel", json!({"goalId": goal})),
            Act::Wait => return,
        };
        if act == Act::Answer(Answer::Approve) && self.acted.is_empty() {
            let done = std::fs::read_dir(self.folder.join("witness")).into_iter().flatten().flatten().next();
            self.early = done.map(|one| one.file_name().to_string_lossy().into_owned());
        }
        self.acted.push((act, open));
        // A scheduler that dies meanwhile answers later; the next look at the state tells.
        let _ = follower::call(&self.home, method, &params).await;
    }

    /// What the log, the witnesses and the provider say.
    async fn audit(&self, case: &Case<'_>, state: &GoalState, tally: &mut Tally) -> anyhow::Result<()> {
        let whose = case.name();
        let history = History::audit(&self.home.state_db(), &whose, tally).await?;
        for schedule in &history.schedules {
            let ends: Vec<_> = schedule.recent.iter().map(|run| run.result).collect();
            if ends != [Some(SlotResult::Completed)] {
                tally.fail(format_args!("{whose}: its slot was to be delivered once: {schedule:?}"));
            }
        }
        if case.scenario.name == IN_WORDS && case.kill.is_none() {
            ended::audit_phases(&history, &whose, tally);
        }
        if let Some(early) = &self.early {
            tally.fail(format_args!("{whose}: `{early}` was done before anybody said yes"));
        }
        ended::audit_witnesses(state, &self.folder.join("witness"), &whose, tally)?;
        let counted = self.model.counted_tokens();
        let (charged, assumed) = (state.goal.spending.settled.tokens, state.goal.spending.assumed.tokens);
        if !(counted <= charged && charged <= counted + assumed) {
            tally.fail(format_args!(
                "{whose}: the provider counted {counted} tokens, charged are {charged}, of these {assumed} assumed"
            ));
        }
        if !state.goal.spending.reserved.is_empty() {
            tally.fail(format_args!("{whose}: I8: an ended goal has something put aside"));
        }
        Ok(())
    }
}

/// A scheduler, perhaps with a place at which it dies.
fn scheduler(case: &Case<'_>, home: &Home, kill: Option<(&'static str, String)>) -> anyhow::Result<Process> {
    let pb = case.run.pb.as_deref().context("there is no `pb`")?;
    let clock = (TEST_CLOCK, clock_of(home).to_string_lossy().into_owned());
    Process::start_with(
        "scheduler",
        pb,
        ["scheduler", "start", "--foreground"],
        home,
        kill.into_iter().chain([clock]),
    )
}

/// The file that says how wrong the clock of the scheduler is.
fn clock_of(home: &Home) -> PathBuf {
    home.root().with_extension("clock")
}

/// By how many milliseconds a clock is wrong that shows a moment before a full minute.
fn before_a_slot() -> u64 {
    /// Enough for a schedule to be added.
    const BEFORE_MS: u64 = 2_500;
    const MINUTE_MS: u64 = 60_000;
    2 * MINUTE_MS - BEFORE_MS - Clock::System.now_ms() % MINUTE_MS
}

/// Names the folder of the witnesses.
fn at(text: &str, witness: &Path) -> String {
    text.replace("@W", &witness.to_string_lossy())
}
