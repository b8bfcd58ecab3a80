//! Calling the tools that a model asked for: in order, up to and with the first whose effect matters,
//! so that at most one outcome is unknown after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use pb_model::goal::{
    ADD_ITEMS, ASK_PERSON, Addition, Asks, Call, CallEnd, CallResult, Doing, Escalation, GoalState, Item,
    Next, Planned, Reviewed, Run, SUBMIT_PLAN, SUBMIT_REVIEW, Seen, batch,
};
use pb_model::{Effect, RunId};
use pb_tools::{ApprovedCall, Scope, ToolError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::compose::{journal, next, registry};
use super::journal::ToolStep;
use super::runner::StepRunner;
use super::talk::Talk;
use super::think::{TOLD_BYTES_MAX, beginning};
use super::{add, ask, binding, plan, review};
use crate::effects::{Context, Done};
use crate::trace::{About, What};
use crate::workspace;

/// Calls the next tools of a run.
pub(crate) async fn act(
    context: &Arc<Context>,
    state: &GoalState,
    run: RunId,
    cancel: &CancellationToken,
) -> Option<Done> {
    let run = state.run(run)?;
    let Some(Doing::Acting { calls }) = run.conversation.as_ref().map(|talk| talk.doing.clone()) else {
        return None;
    };
    let mut acting = Acting {
        context,
        state,
        run,
        cancel,
        workspace: None,
        plan: None,
        asks: None,
        review: None,
        adds: Vec::new(),
        added: Vec::new(),
        papers: Vec::new(),
    };
    let (results, next) = match journal(context, run).await {
        Ok(talk) => acting.calls(talk, &calls).await,
        Err(hindrance) => (vec![unmade(calls.first()?, &hindrance.to_string())], None),
    };
    Some(Done::Acted {
        goal: state.goal.id,
        run: run.id,
        epoch: run.epoch,
        n: calls.first()?.n,
        results,
        papers: acting.papers,
        workspace: acting.workspace,
        plan: acting.plan,
        next,
    })
}

/// A call that the machine could not make.
fn unmade(call: &Call, why: &str) -> CallResult {
    CallResult {
        n: call.n,
        end: CallEnd::Host,
        found: why.to_owned(),
        output_digest: String::new(),
        duration_ms: 0,
        asks: None,
        review: None,
        adds: Vec::new(),
    }
}

struct Acting<'a> {
    context: &'a Arc<Context>,
    state: &'a GoalState,
    run: &'a Run,
    cancel: &'a CancellationToken,
    /// Digest of the workspace after the calls, where nothing else is new.
    workspace: Option<String>,
    /// What was handed in, if it holds.
    plan: Option<Planned>,
    /// What the last call waits for.
    asks: Option<Asks>,
    /// What a review came to.
    review: Option<Reviewed>,
    /// What the last call adds to the goal.
    adds: Vec<Addition>,
    /// What the calls before it added, all of which is committed with it.
    added: Vec<Addition>,
    /// The results for the journal, by place.
    papers: Vec<(u32, String)>,
}

impl Acting<'_> {
    /// Makes the next batch of calls; when none is left, says what the next answer may cost.
    async fn calls(&mut self, mut talk: Talk, calls: &[Call]) -> (Vec<CallResult>, Option<Next>) {
        let mut results = Vec::new();
        for call in calls.iter().take(batch(calls)) {
            let started = Instant::now();
            let about = About::step(self.run, call.n);
            self.context.tracer.tell(about, || {
                let args = talk.call(call.n).map_or(&Value::Null, |said| &said.arguments);
                What::tool_invoked(about, &call.tool, args, Some(&call.id))
            });
            let (end, output) = self.one(&talk, call).await;
            if end == CallEnd::Asks {
                let asks = self.asks.take();
                results.push(CallResult { end, asks, ..unmade(call, &output) });
                return (results, None);
            }
            let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let ended = || What::tool_ended(about, &call.tool, (end, &output), duration_ms);
            self.context.tracer.tell(about, ended);
            talk.hear(call.n, &output, end);
            let found = beginning(&output, TOLD_BYTES_MAX);
            let output_digest = blake3::hash(output.as_bytes()).to_hex().to_string();
            let step = ToolStep { found: words(end).to_owned(), output, end, duration_ms };
            self.papers.push((call.n, serde_json::to_string(&step).unwrap_or_default()));
            results.push(CallResult {
                n: call.n,
                end,
                found,
                output_digest,
                duration_ms,
                asks: None,
                review: self.review.take(),
                adds: self.take_adds(),
            });
            match end {
                CallEnd::Ok | CallEnd::Failed | CallEnd::Withheld => {}
                CallEnd::Finished | CallEnd::Host | CallEnd::Unknown | CallEnd::Asks => {
                    return (results, None);
                }
            }
        }
        if results.len() < calls.len() || self.cancel.is_cancelled() {
            return (results, None);
        }
        self.workspace = self.stale_workspace(calls, &results).await;
        // Whatever hinders it is found again, and told, when the run composes by itself.
        let next = next(self.context, self.state, self.run, &talk).await.ok();
        (results, next)
    }

    /// Digest of the workspace, where none of these calls led to anything new: only then is it worth a look.
    async fn stale_workspace(&self, calls: &[Call], results: &[CallResult]) -> Option<String> {
        let watch = &self.run.conversation.as_ref()?.watch;
        let news =
            |(call, result): (&Call, &CallResult)| watch.is_news(&Seen::new(call, &result.output_digest));
        if calls.iter().zip(results).any(news) {
            return None;
        }
        let workspace = PathBuf::from(self.state.goal.workspace.as_deref()?);
        let manifest = self.context.manifest(self.state.goal.id, workspace).await?;
        Some(manifest.digest())
    }

    async fn one(&mut self, talk: &Talk, call: &Call) -> (CallEnd, String) {
        let Some(said) = talk.call(call.n) else {
            return (CallEnd::Host, "the journal does not hold the arguments of this call".to_owned());
        };
        if let Some(task) = review::task(self.state, self.run).filter(|_| said.name == SUBMIT_REVIEW) {
            let workspace = Path::new(self.state.goal.workspace.as_deref().unwrap_or_default());
            return match review::check(&said.arguments, &task, workspace) {
                Ok(reviewed) => {
                    let found = reviewed.found.clone();
                    self.review = Some(reviewed);
                    (CallEnd::Finished, found)
                }
                Err(problem) => (CallEnd::Failed, problem),
            };
        }
        if said.name == SUBMIT_PLAN && self.run.is_planning() {
            return match plan::check(&said.arguments, self.state) {
                Ok(plan::Checked { items, assumptions, criteria }) => {
                    let ids = items.iter().map(|_| self.context.config.ids.uuid().into()).collect();
                    let found = format!("planned {} item(s)", items.len());
                    self.plan = Some(Planned { items, ids, assumptions, criteria });
                    (CallEnd::Finished, found)
                }
                Err(problems) => (CallEnd::Failed, problems),
            };
        }
        if said.name == ASK_PERSON && ask::may_ask(self.state, self.run) {
            return match ask::check(&said.arguments, self.state) {
                Ok(questions) => {
                    self.asks = Some(Asks::Answers(questions));
                    (CallEnd::Asks, String::new())
                }
                Err(problems) => (CallEnd::Failed, problems),
            };
        }
        if let Some(parent) = add::adder(self.state, self.run).filter(|_| said.name == ADD_ITEMS) {
            return self.add(call, &said.arguments, parent).await;
        }
        if self.run.is_planning()
            && let Some(refused) = self.folder_refused().await
        {
            return (CallEnd::Failed, refused);
        }
        let (registry, allowed) = registry(self.state, self.run);
        match pb_tools::policy::approve(&registry, &allowed, &said.name, said.arguments.clone()) {
            Err(denied) => self.denied(call, denied.to_string()),
            Ok(approved) => match self.yes_to(call, &approved).await {
                Some(asked) => asked,
                None => self.approved(call, &approved).await,
            },
        }
    }

    /// Adds items to the goal, if they hold and nobody has to say yes to that first.
    async fn add(&mut self, call: &Call, arguments: &Value, parent: &Item) -> (CallEnd, String) {
        let items = match add::check(arguments, (self.state, self.run, parent), &self.added) {
            Ok(items) => items,
            Err(problems) => return (CallEnd::Failed, problems),
        };
        let (registry, allowed) = registry(self.state, self.run);
        let approved = match pb_tools::policy::approve(&registry, &allowed, ADD_ITEMS, arguments.clone()) {
            Ok(approved) => approved,
            Err(denied) => return self.denied(call, denied.to_string()),
        };
        if let Some(asked) = self.yes_to(call, &approved).await {
            return asked;
        }
        let told = add::told(&items);
        let mint = |spec| Addition { id: self.context.config.ids.uuid().into(), spec };
        self.adds = items.into_iter().map(mint).collect();
        (CallEnd::Ok, told)
    }

    fn denied(&self, call: &Call, why: String) -> (CallEnd, String) {
        self.decided(call, "denied", &why);
        (CallEnd::Failed, why)
    }

    /// Tells what was said to a call.
    fn decided(&self, call: &Call, decision: &'static str, why: &str) {
        let about = About::step(self.run, call.n);
        self.context.tracer.tell(about, || What::decided(&call.tool, decision, why));
    }

    /// What the last call adds; from now on it was added by an earlier one.
    fn take_adds(&mut self) -> Vec<Addition> {
        let adds = std::mem::take(&mut self.adds);
        self.added.extend(adds.iter().cloned());
        adds
    }

    /// What comes of a call that needs a yes and has none, or one for something else; `None` when it may be
    /// made. What is bound is looked at anew each time, last right before it is made.
    async fn yes_to(&mut self, call: &Call, approved: &ApprovedCall) -> Option<(CallEnd, String)> {
        let of_call =
            |asked: &&Escalation| asked.run_id == Some(self.run.id) && asked.waiting == Some(call.n);
        let asked = self.state.escalations.iter().rev().find(of_call);
        let used = asked.and_then(|asked| asked.approval.as_ref());
        if !call.held && used.is_none() {
            self.decided(call, "approved", "the item may use it");
            return None;
        }
        let workspace = PathBuf::from(self.state.goal.workspace.as_deref()?);
        let env = self.context.sandbox.lasting_environment(&workspace, &self.state.goal.spec.inputs);
        match binding::bind(approved, binding::Place { workspace, env }).await {
            Err(unbound @ binding::Unbound::Host(_)) => Some((CallEnd::Host, unbound.to_string())),
            Err(unbound) => Some(self.denied(call, format!("not done, and nobody was asked: {unbound}"))),
            Ok(bound) if call.held => {
                self.decided(call, "asked", "it needs a person's yes");
                self.asks = Some(Asks::Approval(bound));
                Some((CallEnd::Asks, String::new()))
            }
            Ok(bound) if used.is_some_and(|used| used.binding == bound.digest) => {
                self.decided(call, "approved", "a person said yes to it");
                None
            }
            Ok(_) => {
                let why = "not done: what would run has changed since a person said yes to it";
                Some(self.denied(call, why.to_owned()))
            }
        }
    }

    /// The folder that a planner looks into is not claimed yet: a link may have been put in its place.
    async fn folder_refused(&self) -> Option<String> {
        let folder = plan::folder(self.state)?;
        workspace::admit(&self.context.config.home, Some(folder))
            .await
            .err()
            .map(|refused| refused.to_string())
    }

    async fn approved(&self, call: &Call, approved: &ApprovedCall) -> (CallEnd, String) {
        if call.effect == Effect::Unsafe
            && let Some(told) = self.done_before(call).await
        {
            return told;
        }
        let Some(scope) = self.scope(call) else {
            return (CallEnd::Host, "the goal has no folder".to_owned());
        };
        match approved.run(&scope).await {
            Ok(output) if approved.name() == pb_tools::FINISH => (CallEnd::Finished, output.text),
            Ok(output) if output.ok => (CallEnd::Ok, output.text),
            Ok(output) => (CallEnd::Failed, output.text),
            Err(ToolError::Model(problem)) => (CallEnd::Failed, problem),
            Err(ToolError::Host(problem)) => (CallEnd::Host, problem),
            Err(ToolError::Unknown(problem)) => (CallEnd::Unknown, problem),
        }
    }

    /// The ledger (`durability.md` §4): what an earlier attempt did, or may have done, is not done again.
    async fn done_before(&self, call: &Call) -> Option<(CallEnd, String)> {
        let item = self.run.item_id?;
        if self.state.item(item).is_some_and(|item| item.allowed.contains(&call.digest)) {
            return None; // A human looked, and said that it may be made again.
        }
        match self.context.log.same_effects(item, self.run.id, &call.digest).await {
            Ok(steps) => {
                let earlier = steps.iter().find(|step| step.outcome.as_deref() != Some("error"))?;
                let ended = earlier.outcome.as_deref().unwrap_or("unknown");
                self.decided(call, "withheld", "an earlier attempt made exactly this call");
                Some((
                    CallEnd::Withheld,
                    format!(
                        "not done: an earlier attempt made exactly this call (outcome: {ended}), and doing it \
                         twice may do harm. Find out what it did, or do something else. If you make this call \
                         again, the work stops and a person decides."
                    ),
                ))
            }
            Err(error) => Some((CallEnd::Host, error.to_string())),
        }
    }

    fn scope(&self, call: &Call) -> Option<Scope> {
        let workspace = if self.run.is_planning() {
            plan::folder(self.state)
        } else {
            self.state.goal.workspace.as_deref()
        };
        let workspace = PathBuf::from(workspace?);
        let now = self.context.config.clock.now_ms();
        let left = self.state.step_time_left_ms(self.run.item_id, now);
        let runner = StepRunner {
            context: Arc::clone(self.context),
            goal: self.state.goal.id,
            item: self.run.item_id,
            run: self.run.id,
            epoch: self.run.epoch,
            n: call.n,
            inputs: self.state.goal.spec.inputs.clone(),
            workspace: workspace.clone(),
            time_left_ms: left.unwrap_or(u64::MAX),
            cancel: self.cancel.clone(),
        };
        Some(Scope { workspace, runner: Box::new(runner), again: call.again })
    }
}

fn words(end: CallEnd) -> &'static str {
    match end {
        CallEnd::Ok => "done",
        CallEnd::Failed => "not done; the model is told why",
        CallEnd::Withheld => "not made: an earlier attempt made it",
        CallEnd::Finished => "it says that it is done",
        CallEnd::Host => "the machine could not do it",
        CallEnd::Unknown => "its outcome is unknown",
        CallEnd::Asks => "it waits for a person",
    }
}
