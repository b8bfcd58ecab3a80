//! The events of the log by the name that clients see, and what of each is told beside the ids.

/// A name, when it is told, and the keys of its content beside `goalId`, `workItemId`, `runId` and `timestamp`.
#[derive(Debug, Clone, Copy)]
pub struct EventName {
    /// Such as `goal.created`.
    pub name: &'static str,
    /// When it is told.
    pub when: &'static str,
    /// Its keys that clients use; more may come.
    pub keys: &'static str,
}

const GOAL: &str = "`goal` (whole), `id`, `status`, `title`";
const SCHEDULE: &str = "`schedule`, `scheduleId`, `status`, `title`";
const TALK: &str = "`sessionId`, `state`, `status`, `hasTask`, `answered`, `turn`";
const ITEM: &str = "`workItem` (whole), `id`, `goal_id`, `status`";

macro_rules! names {
    ($($name:literal, $when:literal, $keys:expr;)*) => {
        /// Every name, in the order of a goal's life.
        pub const EVENT_NAMES: &[EventName] = &[
            $(EventName { name: $name, when: $when, keys: $keys },)*
        ];
    };
}

names! {
    "goal.created", "a goal was accepted", GOAL;
    "goal.updated", "something about it changed: its plan stands, it waits, it is taken over, delivered or cancelled", GOAL;
    "goal.elaborated", "what it means was made out", "`assumptions`, `successCriteria`";
    "goal.replanning", "another plan is to be made; what is done stays", "`why`, `replannedBy`";
    "goal.started", "its first work begins", GOAL;
    "goal.completed", "every item is done; `verdict` says how well that is proven", GOAL;
    "goal.blocked", "it waits for a human", GOAL;
    "goal.failed", "it is over without success; `error` says why", GOAL;
    "goal.cancelled", "it was cancelled", GOAL;
    "goal.compacted", "it ended long ago: the events before this one are dropped", "`events` (how many were dropped)";
    "workitem.created", "the plan has this item, or a run added it (`added_by`)", ITEM;
    "workitem.added", "a run of it adds items, which are created once it is done", "`added` (`id` and `title` of each), `workItem` (whole)";
    "workitem.updated", "it may start, or is tried again", ITEM;
    "workitem.started", "an attempt begins", ITEM;
    "workitem.completed", "its gates passed", ITEM;
    "workitem.failed", "no attempt is left; `error` says why", ITEM;
    "workitem.blocked", "it waits for a human", ITEM;
    "run.started", "an attempt was made a run", "`run` (whole)";
    "run.continued", "a run goes on after a crash", "`run`, `epoch`, `ranAgain`, `why`";
    "run.executed", "its work is done, and not judged yet", "`run`";
    "run.completed", "it is over", "`run`, `success`, `error`";
    "model.requested", "a model is about to be asked", "`step`, `model`, `reservedTokens`, `reservedCostUsd`";
    "model.answered", "it answered", "`step`, `model`, `text`, `calls`, `tokens`, `costUsd`, `durationMs`";
    "model.failed", "it did not", "`step`, `model`, `error`, `notBefore`";
    "tool.completed", "a call of a tool is over", "`step`, `tool`, `title`, `outcome`, `found`, `durationMs`";
    "guard.tripped", "a conversation goes nowhere", "`guard`, `rung` (`nudge`, `drop_tool`, `other_model`, `escalate`), `tool`, `found`";
    "conversation.condensed", "a conversation would not fit its model: older parts are told in short from now on", "`turns`, `results` (how many of each), `bytes` (by which the next request is shorter)";
    "verification.started", "gates begin to run", "`run`, `probe`";
    "verification.completed", "they ran", "`run`, `passed`, `verdict`, `summary`, `recheck`";
    "gate.completed", "one of them ran", "`gate` (with its evidence)";
    "evaluation.decided", "an attempt was not enough: what is done now", "`decision` (`retry`, `switch_model`, `replan`, `escalate`, `give_up`), `detail`, `reason`";
    "gate.approved", "a human said that its gates count, though the goal changed what decides them", "`edited` (paths), `approvedBy`";
    "escalation.created", "a human is asked", "`escalation` (whole), `escalationId`, `type`";
    "escalation.resolved", "a human answered", "`escalation` (whole), `escalationId`, `action`, `resolvedBy`, `raised`";
    "approval.requested", "a call waits for a yes", "`escalation` (whole), `approvalId`, `requestType`, `description`";
    "approval.granted", "somebody said yes", "the same, `grantedBy`, `conditions`";
    "approval.denied", "somebody said no", "the same, `deniedBy`, `reason`";
    "approval.expired", "nobody said yes in time", "the same";
    "approval.used", "the call may be made now, and is", "the same";
    "approval.voided", "what would run is not what the yes was for, or nobody wants it any more", "the same";
    "budget.warning", "70 % or 90 % of a cap is used; told once each", "`level` (`warning`, `critical`), `cap`, `percent`, `status`";
    "budget.exceeded", "a cap is reached; a human is asked", "`cap`, `status`";
    "artifact.created", "a file was delivered, or `partial`: it is what a goal had made that fails", "`artifact` (whole)";
    "schedule.created", "a schedule was accepted", SCHEDULE;
    "schedule.claimed", "a slot was claimed, and its goal submitted in the same commit", "`schedule`, `slot`, `goalId`";
    "schedule.ran", "a person had it run at once", "`schedule`, `goalId`, `by`";
    "schedule.skipped", "slots were not run", "`schedule`, `first`, `last`, `count`, `why` (`missed`, `running`)";
    "schedule.succeeded", "its goal was delivered", "`schedule`, `goalId`";
    "schedule.failed", "its goal was not", "`schedule`, `goalId`, `error`";
    "schedule.cancelled", "a person stopped its goal", "`schedule`, `goalId`";
    "schedule.broke", "its goals failed too often in a row; a person looks", "`schedule`, `goalId`, `reason`";
    "schedule.paused", "it stands still", "`schedule`, `by`";
    "schedule.resumed", "it goes on", "`schedule`, `by`";
    "schedule.removed", "it is no more", "`schedule`, `by`";
    "schedule.compacted", "the events before this one are dropped", "`schedule`, `events` (how many were dropped)";
    "conversation.started", "a conversation began", "`sessionId`, `personaId`, `workspace`, `by`";
    "conversation.message", "a person said something", TALK;
    "conversation.requested", "a model is asked for the answer", "`sessionId`, `model`, `n`";
    "conversation.failed", "the call failed", "`sessionId`, `model`, `n`, `error`, `again` (it is made again)";
    "conversation.response", "the answer, or why there is none", "`sessionId`, `state`, `hasTask`, `answered`, `turn`, `goalId`, `taskInfo`";
    "task.narration", "news of a goal that was made in the conversation: its plan, its question", TALK;
    "task.result", "such a goal has ended", "`sessionId`, `turn`, `goalId`, `result`";
    "conversation.ended", "a conversation is over", "`sessionId`, `by`";
    "conversation.compacted", "the events before this one are dropped", "`sessionId`, `events` (how many were dropped)";
}

impl EventName {
    /// Whether there is an event of this name.
    pub fn is_known(name: &str) -> bool {
        EVENT_NAMES.iter().any(|known| known.name == name)
    }
}
