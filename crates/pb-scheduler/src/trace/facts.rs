//! What the facts of a goal's history tell: told once they are committed, with the time of the fact.

use pb_model::approval::ApprovalEvent;
use pb_model::goal::{
    Escalation, Evaluation, Event, Failure, GateResult, GoalState, GoalStatus, ItemStatus, Phase, Resolution,
    Run, RunStatus, Rung,
};
use pb_model::spec::Work;
use pb_model::{EscalationId, GoalId, ItemId};

use super::content::{Name, Text};
use super::{About, Note, What, spending};

/// Where things stood before a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    goal: Option<GoalStatus>,
    item: Option<ItemStatus>,
    run: Option<RunStatus>,
    /// The phase that the goal is in; none of one that has ended.
    phase: Option<Phase>,
    /// The goal whose folder it waits for.
    waits_for: Option<GoalId>,
    /// The question that the run's next call waits for.
    waits: Option<EscalationId>,
}

impl Before {
    /// Where what `event` is about stands in `state`.
    pub(crate) fn of(state: Option<&GoalState>, event: &Event) -> Self {
        let item = event.item_id().and_then(|item| state?.item(item));
        let run = event.run_id().and_then(|run| state?.run(run));
        let goal = state.map(|state| &state.goal);
        Self {
            goal: goal.map(|goal| goal.status),
            item: item.map(|item| item.status),
            run: run.map(|run| run.status),
            phase: goal.filter(|goal| !goal.status.is_terminal()).map(|goal| goal.phase),
            waits_for: goal.and_then(|goal| goal.waits_for),
            waits: run.and_then(|run| run.conversation.as_ref()?.waits),
        }
    }
}

/// A fact, and what it led to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact<'a> {
    pub(crate) event: &'a Event,
    pub(crate) before: Before,
    pub(crate) state: &'a GoalState,
    pub(crate) at_ms: u64,
}

impl Fact<'_> {
    /// What it tells.
    pub(crate) fn tell(&self, notes: &mut Vec<Note>) {
        let about = About::goal(self.state, self.event.item_id(), self.event.run_id());
        let mut put = |about: About, what: What| notes.push(Note { at_ms: self.at_ms, about, what });
        self.fact(about, &mut put);
        let now = Before::of(Some(self.state), self.event);
        self.transitions(now, about, &mut put);
        self.phases(now, &mut put);
    }

    fn fact(&self, about: About, put: &mut impl FnMut(About, What)) {
        match self.event {
            Event::GoalCreated { .. }
            | Event::GoalElaborated { .. }
            | Event::GoalPlanned { .. }
            | Event::GoalReplanning { .. }
            | Event::GoalWaiting { .. }
            | Event::GoalStarted { .. }
            | Event::GoalTakenOver { .. }
            | Event::ClockJumped { .. }
            | Event::GoalBlocked { .. }
            | Event::GoalPaused { .. }
            | Event::GoalResumed { .. }
            | Event::GoalPrioritized { .. }
            | Event::GoalCancelling { .. }
            | Event::GoalCompleted { .. }
            | Event::GoalFailed { .. }
            | Event::GoalCancelled { .. }
            | Event::GoalCompacted { .. } => self.of_goal().into_iter().for_each(|what| put(about, what)),
            Event::ItemCreated { .. }
            | Event::ItemsAdded { .. }
            | Event::ItemStarted { .. }
            | Event::ItemRetrying { .. }
            | Event::ItemCompleted { .. }
            | Event::ItemFailed { .. }
            | Event::ItemBlocked { .. }
            | Event::ItemReopened { .. }
            | Event::ItemSuperseded { .. }
            | Event::ItemSkipped { .. } => self.of_item(&mut |what| put(about, what)),
            Event::RunStarted { .. }
            | Event::RunContinued { .. }
            | Event::RunCompleted { .. }
            | Event::ConversationCondensed { .. }
            | Event::GuardTripped { .. }
            | Event::VerificationStarted { .. }
            | Event::VerificationCompleted { .. }
            | Event::EvaluationDecided { .. }
            | Event::GatesApproved { .. } => self.of_run(&mut |what| put(about, what)),
            Event::GateCompleted { result } => {
                let about = self.state.run(result.run_id).map_or(about, |run| About::step(run, result.step));
                put(about, gate(result));
            }
            Event::EscalationCreated { escalation } => put(about, asked(escalation)),
            Event::EscalationResolved { escalation, resolution, .. } => {
                put(about, self.answered(*escalation, resolution));
            }
            Event::ApprovalChanged { escalation, change, .. } => put(about, approval(*escalation, change)),
            Event::ModelRequested { .. }
            | Event::ModelAnswered { .. }
            | Event::ModelFailed { .. }
            | Event::BudgetWarned { .. }
            | Event::BudgetExceeded { .. } => spending::tell(self, about, put),
            Event::ToolCompleted { call, end, found, .. } => {
                // What was called is told by whoever called it; what a person said to a call is told here.
                if self.before.waits.is_some()
                    && let Some(run) = self.run()
                {
                    let waited =
                        self.asked(self.before.waits).map_or(0, |asked| self.since(asked.created_at_ms));
                    put(
                        About::step(run, call.n),
                        What::tool_ended(About::step(run, call.n), &call.tool, (*end, found), waited),
                    );
                }
            }
            // The rest are transitions, or are told where they happen.
            Event::ItemReady { .. }
            | Event::RunExecuted { .. }
            | Event::GoalPublishing
            | Event::ArtifactCreated { .. } => {}
        }
    }

    fn of_goal(&self) -> Option<What> {
        let goal = &self.state.goal;
        let duration_ms = self.since(goal.created_at_ms);
        Some(match self.event {
            Event::GoalCreated { goal } => What::GoalSubmitted {
                title: Text::new(goal.spec.title.as_str()),
                priority: goal.spec.priority,
                by: goal.created_by.clone(),
                session: goal.session.map(|id| id.to_string()),
                schedule: goal.scheduled.map(|of| of.schedule.to_string()),
            },
            Event::GoalElaborated { assumptions, criteria } => {
                What::GoalElaborated { assumptions: assumptions.len(), criteria: criteria.len() }
            }
            Event::GoalPlanned { items } => What::GoalPlanned { items: *items },
            Event::GoalReplanning { why, by } => {
                What::GoalReplanning { why: Text::new(why.as_str()), by: by.clone() }
            }
            Event::GoalWaiting { workspace, behind } => {
                What::LockWaitStarted { workspace: workspace.clone(), behind: *behind }
            }
            Event::GoalStarted { workspace, .. } => What::GoalStarted { workspace: workspace.clone() },
            Event::GoalTakenOver { epoch, alive_until_ms } => {
                What::GoalTakenOver { epoch: *epoch, alive_until: *alive_until_ms }
            }
            Event::ClockJumped { by_ms } => What::ClockJumped { by_ms: *by_ms },
            Event::GoalBlocked { escalations, summary } => {
                What::GoalBlocked { escalations: escalations.len(), summary: Text::new(summary.as_str()) }
            }
            Event::GoalPaused { by } => What::GoalPaused { by: by.clone() },
            Event::GoalResumed { by } => What::GoalResumed { by: by.clone() },
            Event::GoalPrioritized { priority, by } => {
                What::GoalPrioritized { priority: *priority, by: by.clone() }
            }
            Event::GoalCancelling { cancel } => {
                What::GoalCancelling { by: cancel.by.clone(), reason: words(cancel.reason.as_ref()) }
            }
            Event::GoalCompleted { verdict, summary, .. } => What::GoalCompleted {
                verdict: verdict.as_str(),
                summary: Text::new(summary.as_str()),
                artifacts: self.state.artifacts.len(),
                duration_ms,
            },
            Event::GoalFailed { reason, error } => What::GoalFailed {
                reason: reason.as_str(),
                code: error.code.clone(),
                class: error.class.as_str(),
                error: Text::new(error.message.as_str()),
                duration_ms,
            },
            Event::GoalCancelled { cancel } => What::GoalCancelled {
                by: cancel.by.clone(),
                reason: words(cancel.reason.as_ref()),
                duration_ms,
            },
            Event::GoalCompacted { events, .. } => What::GoalCompacted { events: *events },
            _ => return None, // `fact` hands in no other.
        })
    }

    fn of_item(&self, put: &mut impl FnMut(What)) {
        let failed = |error: &Failure| (error.code.clone(), Text::new(error.message.as_str()));
        let what = match self.event {
            Event::ItemCreated { item } => {
                What::ItemCreated { title: Text::new(item.title.as_str()), needs: item.needs.len() }
            }
            Event::ItemsAdded { items, .. } => What::ItemsAdded { items: items.len() },
            Event::ItemStarted { item, .. } => {
                self.started(*item, put);
                return;
            }
            Event::ItemRetrying { retry_count, not_before_ms, error, .. } => {
                let (code, error) = failed(error);
                let delay_ms = not_before_ms.saturating_sub(self.at_ms);
                What::ItemRetrying {
                    retry_count: *retry_count,
                    delay_ms,
                    not_before: *not_before_ms,
                    code,
                    error,
                }
            }
            Event::ItemCompleted { verdict, .. } => What::ItemSucceeded { verdict: verdict.as_str() },
            Event::ItemFailed { error: failure, .. } => {
                let (code, error) = failed(failure);
                What::ItemFailed { code, class: failure.class.as_str(), error }
            }
            Event::ItemBlocked { escalation, error, .. } => {
                let (code, error) = failed(error);
                What::ItemBlocked { escalation: *escalation, code, error }
            }
            Event::ItemReopened { allow, .. } => What::ItemReopened { allows: allow.is_some() },
            Event::ItemSuperseded { .. } => What::ItemSuperseded {},
            Event::ItemSkipped { by, .. } => What::ItemSkipped { by: by.clone() },
            _ => return, // `fact` hands in no other.
        };
        put(what);
    }

    fn started(&self, item: ItemId, put: &mut impl FnMut(What)) {
        let Some(item) = self.state.item(item) else { return };
        let model = match &item.work {
            // Which candidate answers is told with each call.
            Work::Agent(agent) => agent.model.clone().or_else(|| self.state.goal.spec.model.clone()),
            Work::Command(_) => None,
        };
        put(What::ItemStarting { title: Text::new(item.title.as_str()) });
        put(What::ItemAssigned { model: model.unwrap_or_default(), lane: item.lane.as_str() });
    }

    fn of_run(&self, put: &mut impl FnMut(What)) {
        let what = match self.event {
            Event::RunStarted { run } => What::RunStarted {
                attempt: run.attempt,
                purpose: purpose(run),
                reviews: run.reviews.map(|reviews| reviews.run),
            },
            Event::RunContinued { ran_again, why, .. } => {
                What::RunContinued { ran_again: *ran_again, why: Text::new(why.as_str()) }
            }
            Event::RunCompleted { status, error, .. } => What::RunCompleted {
                status: status.as_str(),
                code: error.as_ref().map(|error| error.code.clone()),
                error: error.as_ref().map(|error| Text::new(error.message.as_str())),
                duration_ms: self.run().map_or(0, |run| self.since(run.created_at_ms)),
            },
            Event::ConversationCondensed { turns, results, bytes, .. } => {
                What::ConversationCondensed { turns: *turns, results: *results, bytes: *bytes }
            }
            Event::GuardTripped { guard, rung, .. } => {
                if let Rung::OtherModel { instead_of } = rung {
                    put(self.switched(instead_of));
                }
                let tool = match rung {
                    Rung::DropTool { tool } => Some(Name::new(tool)),
                    Rung::Nudge | Rung::OtherModel { .. } | Rung::Escalate => None,
                };
                What::GuardTripped { guard: guard.as_str(), rung: rung.as_str(), tool }
            }
            Event::VerificationStarted { probe, .. } => What::VerificationStarted { probe: *probe },
            Event::VerificationCompleted { passed, verdict, summary, recheck, .. } => {
                let summary = Text::new(summary.as_str());
                What::VerificationCompleted {
                    passed: *passed,
                    verdict: verdict.as_str(),
                    summary,
                    recheck: *recheck,
                }
            }
            Event::EvaluationDecided { decision, reason, .. } => {
                if let Evaluation::SwitchModel { avoid, tier } = decision {
                    let from = avoid.as_deref().map(Name::new);
                    put(What::ModelSwitched { from, to: None, tier: *tier, why: "evaluation" });
                }
                What::EvaluationDecided { decision: decision.as_str(), reason: Text::new(reason.as_str()) }
            }
            Event::GatesApproved { by, edited, .. } => {
                What::GatesApproved { by: by.clone(), edited: edited.len() }
            }
            _ => return, // `fact` hands in no other.
        };
        put(what);
    }

    fn switched(&self, from: &str) -> What {
        let watch = self.run().and_then(|run| run.conversation.as_ref()).map(|talk| &talk.watch);
        let to = watch.and_then(|watch| watch.other_model.as_deref()).map(Name::new);
        What::ModelSwitched { from: Some(Name::new(from)), to, tier: None, why: "guard" }
    }

    fn answered(&self, id: EscalationId, resolution: &Resolution) -> What {
        What::EscalationResolved {
            id,
            answer: resolution.answer.as_str(),
            by: resolution.by.clone(),
            text: words(resolution.text.as_ref()),
            expired: resolution.expired,
            duration_ms: self.asked(Some(id)).map_or(0, |asked| self.since(asked.created_at_ms)),
        }
    }

    fn asked(&self, id: Option<EscalationId>) -> Option<&Escalation> {
        self.state.escalation(id?)
    }

    /// The run that it is about.
    pub(super) fn run(&self) -> Option<&Run> {
        self.state.run(self.event.run_id()?)
    }

    fn since(&self, began_ms: u64) -> u64 {
        self.at_ms.saturating_sub(began_ms)
    }

    /// What stands elsewhere now. Something that is new has come from nowhere: that is no transition.
    fn transitions(&self, now: Before, about: About, put: &mut impl FnMut(About, What)) {
        let before = self.before;
        let mut changed =
            |entity, from: Option<&'static str>, to: Option<&'static str>, id: Option<String>| {
                if let (Some(from), Some(to), Some(id)) = (from, to, id)
                    && from != to
                {
                    put(about, What::Transition { entity, id, from, to });
                }
            };
        if before.goal != now.goal {
            let (from, to) = (before.goal.map(GoalStatus::as_str), now.goal.map(GoalStatus::as_str));
            changed("goal", from, to, Some(self.state.goal.id.to_string()));
        }
        if before.item != now.item {
            let (from, to) = (before.item.map(ItemStatus::as_str), now.item.map(ItemStatus::as_str));
            changed("workitem", from, to, about.item.map(|item| item.to_string()));
        }
        if before.run != now.run {
            let (from, to) = (before.run.map(RunStatus::as_str), now.run.map(RunStatus::as_str));
            changed("run", from, to, about.run.map(|run| run.to_string()));
        }
    }

    /// Which phase of the goal ends, and which begins; whether its wait for a folder is over. How long that was
    /// is filled in where it is written.
    fn phases(&self, now: Before, put: &mut impl FnMut(About, What)) {
        let goal = self.state.goal.id;
        if self.before.waits_for.is_some() && now.waits_for.is_none() {
            let about = About::goal(self.state, None, None);
            put(about, What::LockWaitEnded { duration_ms: 0, at_least: None });
        }
        if self.before.phase == now.phase {
            return;
        }
        if let Some(phase) = self.before.phase {
            let ended = What::PhaseEnded { phase: phase.as_str(), duration_ms: 0, at_least: None };
            put(About::phase(goal, phase), ended);
        }
        if let Some(phase) = now.phase {
            put(About::phase(goal, phase), What::PhaseStarted { phase: phase.as_str() });
        }
    }
}

fn words(text: Option<&String>) -> Option<Text> {
    text.map(|text| Text::new(text.as_str()))
}

/// What a run is for.
fn purpose(run: &Run) -> &'static str {
    if run.reviews.is_some() {
        "review"
    } else if run.is_planning() {
        "plan"
    } else {
        "work"
    }
}

fn gate(result: &GateResult) -> What {
    let evidence = &result.evidence;
    What::GateEnded {
        gate: result.gate,
        kind: result.kind.clone(),
        name: Text::new(result.name.as_str()),
        required: result.required,
        recheck: result.recheck,
        passed: result.passed,
        found: Text::new(result.found.as_str()),
        exit_code: evidence.exit_code,
        output: Some(&evidence.output_tail)
            .filter(|tail| !tail.is_empty())
            .map(|tail| Text::new(tail.as_str())),
        output_digest: evidence.output_digest.clone(),
        workspace_digest: evidence.workspace_digest.clone(),
        edited: Some(evidence.edited.paths.len()).filter(|_| !evidence.edited.is_none()),
        duration_ms: evidence.duration_ms,
    }
}

fn asked(escalation: &Escalation) -> What {
    What::EscalationCreated {
        id: escalation.id,
        kind: escalation.escalation_type.as_str(),
        title: Text::new(escalation.title.as_str()),
        cause: Text::new(escalation.packet.root_cause.as_str()),
        expires_at: escalation.expiry.map(|expiry| expiry.at_ms),
    }
}

fn approval(id: EscalationId, change: &ApprovalEvent) -> What {
    let by = match change {
        ApprovalEvent::Granted { by } | ApprovalEvent::Denied { by } => Some(by.clone()),
        ApprovalEvent::Requested | ApprovalEvent::Expired | ApprovalEvent::Used | ApprovalEvent::Voided => {
            None
        }
    };
    What::ApprovalChanged { id, change: change.as_str(), by }
}

#[cfg(test)]
mod tests {
    use pb_model::goal::{Command, DayBudget, Moment, decide, evolve};
    use pb_model::{EscalationId, RunId};
    use pb_runtime::config::Content;
    use uuid::Uuid;

    use super::*;
    use crate::agent::scratch;
    use crate::trace::data::Data;

    /// What a command on a goal tells: name, data without the ids, in order.
    fn told(state: &GoalState, command: Command) -> Vec<String> {
        let moment = Moment {
            now_ms: 20,
            escalation: EscalationId::from(Uuid::from_u128(9)),
            run: pb_model::RunId::from(uuid::Uuid::from_u128(0x7777)),
            seed: 1,
            day: DayBudget::default(),
        };
        let mut state = Some(state.clone());
        let mut told = Vec::new();
        for event in decide(state.as_ref(), command, moment.clone()).unwrap() {
            let before = Before::of(state.as_ref(), &event);
            state = evolve(state, &event, moment.now_ms);
            let mut notes = Vec::new();
            let state = state.as_ref().unwrap();
            Fact { event: &event, before, state, at_ms: moment.now_ms }.tell(&mut notes);
            for note in notes {
                assert_eq!((note.at_ms, note.about.goal_id()), (20, Some(state.goal.id)));
                assert!(note.what.kind().level.admits(note.about.level()), "{note:?}");
                let mut data = Data::new(Content::Redacted);
                note.what.put_into(&mut data);
                let mut data: serde_json::Value = serde_json::from_str(&data.finish()).unwrap();
                data.as_object_mut().unwrap().shift_remove("entityId");
                told.push(format!("{} {data}", note.what.kind().name));
            }
        }
        told
    }

    #[test]
    fn a_start_and_an_end_are_told_with_what_they_change() {
        let file = "title = '写'\nmodel = 'a/b'\n[[items]]\nid = 'a'\nkind = 'agent'\nprompt = 'Write.'";
        let goal = scratch::goal(file);
        let run = RunId::from(Uuid::from_u128(5));
        let item = goal.items.first().unwrap().id;
        let started = told(&goal, Command::StartRun { item, run, epoch: 1 });
        insta::assert_snapshot!(started.join("\n"), @r#"
        scheduler.workitem.starting {"title":"a"}
        scheduler.workitem.assigned {"model":"a/b","laneId":"main"}
        state.transition {"entityType":"workitem","from":"ready","to":"in_progress"}
        scheduler.run.started {"attempt":1,"purpose":"work"}
        "#);
        let cancelled = told(&goal, Command::Cancel { by: "ann".to_owned(), reason: None });
        insta::assert_snapshot!(cancelled.join("\n"), @r#"
        scheduler.goal.cancelling {"by":"ann"}
        scheduler.goal.cancelled {"by":"ann","durationMs":10}
        state.transition {"entityType":"goal","from":"active","to":"cancelled"}
        phase.ended {"phase":"execution","durationMs":0}
        "#);
    }
}
