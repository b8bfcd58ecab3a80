//! The events that clients see, by name, and what of each is told.

use pb_model::goal::{Answer, CallEnd, Cap, EscalationType, Evaluation, GoalStatus, Guard, Raised};
use pb_model::schedule::SkipReason;
use pb_model::spec::{Lane, SuccessCriterion};

use crate::conversation::{TaskInfo, Turn};
use crate::debug::DebugEvent;
use crate::domain::{Artifact, GateResult};
use crate::event::{AddedItem, BudgetStatus, ToolCall};
use crate::event_keys::{
    ANSWERS, APPROVAL, About, DataKey, ERROR, ESCALATION, GOAL, ITEM, KEPT, RUN, SCHEDULE, TALK, VERDICT, key,
};

/// A name, when it is told, and what then.
#[derive(Debug, Clone, Copy)]
pub struct EventName {
    /// Such as `goal.created`.
    pub name: &'static str,
    /// When it is told.
    pub when: &'static str,
    /// What it is about.
    pub about: About,
    /// The keys of its `data` beside those of what it is about; more may come in a later version.
    pub keys: &'static [&'static [DataKey]],
}

macro_rules! names {
    ($($(#[$doc:meta])* $list:ident { $($about:ident: $name:literal, $when:literal, $keys:expr;)* })*) => {
        $(
            $(#[$doc])*
            pub const $list: &[EventName] = &[
                $(EventName { name: $name, when: $when, about: About::$about, keys: &$keys },)*
            ];
        )*
    };
}

names! {
/// Every name of the log, in the order of a goal's life.
EVENT_NAMES {
    Goal: "goal.created", "a goal was accepted", [GOAL, &[key::<String>("createdBy")]];
    Goal: "goal.updated", "something about it changed: its plan stands, it waits, it is taken over, delivered or cancelled", [GOAL, &[
        key::<u32>("items").maybe().note("of the plan"),
        key::<String>("waitsFor").maybe(),
        key::<String>("workspace").maybe(),
        key::<i64>("clockJumpedMs").maybe(),
        key::<u64>("epoch").maybe(),
        key::<String>("pausedBy").maybe(),
        key::<String>("resumedBy").maybe(),
        key::<u8>("priority").maybe(),
        key::<String>("prioritizedBy").maybe(),
        key::<String>("reason").maybe(),
        key::<String>("cancelledBy").maybe(),
    ]];
    Goal: "goal.elaborated", "what it means was made out", [GOAL, &[
        key::<Vec<String>>("assumptions"),
        key::<Vec<SuccessCriterion>>("successCriteria"),
    ]];
    Goal: "goal.replanning", "another plan is to be made; what is done stays", [GOAL, &[key::<String>("why"), key::<String>("replannedBy")]];
    Goal: "goal.started", "its first work begins", [GOAL, &[key::<String>("workspace"), KEPT.maybe()]];
    Goal: "goal.completed", "every item is done; `verdict` says how well that is proven", [GOAL, &[VERDICT, key::<String>("summary")]];
    Goal: "goal.blocked", "it waits for a human", [GOAL, &[key::<Vec<String>>("escalationIds"), key::<String>("summary")]];
    Goal: "goal.failed", "it is over without success; `error` says why", [GOAL, &[ERROR]];
    Goal: "goal.cancelled", "it was cancelled", [GOAL, &[key::<String>("cancelledBy"), key::<String>("reason").maybe()]];
    Goal: "goal.compacted", "it ended long ago: the events before this one are dropped", [GOAL, &[key::<u64>("events").note("how many were dropped")]];
    Goal: "workitem.created", "the plan has this item, or a run added it (`added_by`)", [ITEM];
    Goal: "workitem.added", "a run of it adds items, which are created once it is done", [ITEM, &[key::<Vec<AddedItem>>("added")]];
    Goal: "workitem.updated", "it may start, or is tried again", [ITEM, &[
        key::<u32>("retryCount").maybe(),
        key::<u64>("notBefore").maybe(),
        ERROR.maybe(),
        key::<bool>("superseded").maybe(),
        key::<String>("skippedBy").maybe(),
    ]];
    Goal: "workitem.started", "an attempt begins", [ITEM, &[key::<String>("model").note("always empty"), key::<Lane>("laneId")]];
    Goal: "workitem.completed", "its gates passed", [ITEM, &[VERDICT]];
    Goal: "workitem.failed", "no attempt is left; `error` says why", [ITEM, &[ERROR]];
    Goal: "workitem.blocked", "it waits for a human", [ITEM, &[key::<String>("escalationId"), ERROR]];
    Goal: "run.started", "an attempt was made a run", [RUN];
    Goal: "run.continued", "a run goes on after a crash", [RUN, &[key::<u64>("epoch"), key::<bool>("ranAgain"), key::<String>("why")]];
    Goal: "run.executed", "its work is done, and not judged yet", [RUN];
    Goal: "run.completed", "it is over", [RUN, &[key::<bool>("success"), ERROR.maybe()]];
    Goal: "model.requested", "a model is about to be asked", [&[
        key::<u32>("step"),
        key::<String>("model"),
        key::<u64>("reservedTokens"),
        key::<f64>("reservedCostUsd"),
    ]];
    Goal: "model.answered", "it answered", [&[
        key::<u32>("step"),
        key::<String>("model"),
        key::<String>("text").note("its beginning"),
        key::<Vec<ToolCall>>("calls"),
        key::<u64>("tokens"),
        key::<u64>("inputTokens").maybe(),
        key::<u64>("outputTokens").maybe(),
        key::<f64>("costUsd").maybe(),
        key::<bool>("assumed"),
        key::<bool>("overrun"),
        key::<bool>("cutShort"),
        key::<u64>("durationMs"),
    ]];
    Goal: "model.failed", "it did not", [&[
        key::<u32>("step"),
        key::<String>("model"),
        ERROR,
        key::<u64>("notBefore").maybe(),
        key::<u64>("tokens"),
        key::<f64>("costUsd").maybe(),
        key::<bool>("assumed"),
    ]];
    Goal: "tool.completed", "a call of a tool is over", [&[
        key::<u32>("step"),
        key::<String>("tool"),
        key::<String>("title"),
        key::<CallEnd>("outcome"),
        key::<bool>("again"),
        key::<String>("found").note("its beginning"),
        key::<u64>("durationMs"),
    ]];
    Goal: "guard.tripped", "a conversation goes nowhere", [&[
        key::<Guard>("guard"),
        key::<String>("rung").note("`nudge`, `drop_tool`, `other_model`, `escalate`"),
        key::<String>("tool").maybe(),
        key::<String>("found"),
    ]];
    Goal: "conversation.condensed", "a conversation would not fit its model: older parts are told in short from now on", [&[
        key::<u32>("turns"),
        key::<u32>("results").note("how many of each"),
        key::<u64>("bytes").note("by which the next request is shorter"),
    ]];
    Goal: "verification.started", "gates begin to run", [RUN, &[key::<bool>("probe")]];
    Goal: "verification.completed", "they ran", [RUN, &[
        key::<bool>("passed"),
        VERDICT,
        key::<String>("summary"),
        key::<bool>("recheck"),
    ]];
    Goal: "gate.completed", "one of them ran", [&[key::<GateResult>("gate").note("with its evidence")]];
    Goal: "evaluation.decided", "an attempt was not enough: what is done now", [&[
        key::<String>("decision").note("`retry`, `switch_model`, `replan`, `escalate`, `give_up`"),
        key::<Evaluation>("detail"),
        key::<String>("reason"),
    ]];
    Goal: "gate.approved", "a human said that its gates count, though the goal changed what decides them", [RUN, &[
        key::<Vec<String>>("edited").note("paths"),
        key::<String>("approvedBy"),
    ]];
    Goal: "escalation.created", "a human is asked", [ESCALATION, &[key::<EscalationType>("type")]];
    Goal: "escalation.resolved", "a human answered", [ESCALATION, &[
        key::<Answer>("action"),
        key::<String>("resolvedBy"),
        key::<Raised>("raised").maybe(),
        key::<String>("text").maybe(),
        ANSWERS,
        key::<bool>("expired"),
    ]];
    Goal: "approval.requested", "a call waits for a yes", [APPROVAL];
    Goal: "approval.granted", "somebody said yes", [APPROVAL, &[key::<String>("grantedBy"), key::<String>("conditions").maybe()]];
    Goal: "approval.denied", "somebody said no", [APPROVAL, &[key::<String>("deniedBy"), key::<String>("reason").maybe()]];
    Goal: "approval.expired", "nobody said yes in time", [APPROVAL];
    Goal: "approval.used", "the call may be made now, and is", [APPROVAL];
    Goal: "approval.voided", "what would run is not what the yes was for, or nobody wants it any more", [APPROVAL];
    Goal: "budget.warning", "70 % or 90 % of a cap is used; told once each", [&[
        key::<String>("level").note("`warning`, `critical`"),
        key::<Cap>("cap"),
        key::<u8>("percent"),
        key::<BudgetStatus>("status"),
    ]];
    Goal: "budget.exceeded", "a cap is reached; a human is asked", [&[key::<Cap>("cap"), key::<BudgetStatus>("status")]];
    Goal: "artifact.created", "a file was delivered, or `partial`: it is what a goal had made that fails", [&[key::<Artifact>("artifact").note("whole")]];
    Schedule: "schedule.created", "a schedule was accepted", [SCHEDULE];
    Schedule: "schedule.claimed", "a slot was claimed, and its goal submitted in the same commit", [SCHEDULE, &[key::<u64>("slot"), key::<String>("goalId")]];
    Schedule: "schedule.ran", "a person had it run at once", [SCHEDULE, &[key::<String>("goalId"), key::<String>("by")]];
    Schedule: "schedule.skipped", "slots were not run", [SCHEDULE, &[
        key::<u64>("first"),
        key::<u64>("last"),
        key::<u64>("count"),
        key::<SkipReason>("why").note("`missed`, `running`"),
    ]];
    Schedule: "schedule.succeeded", "its goal was delivered", [SCHEDULE, &[key::<String>("goalId")]];
    Schedule: "schedule.failed", "its goal was not", [SCHEDULE, &[key::<String>("goalId"), key::<String>("error").maybe()]];
    Schedule: "schedule.cancelled", "a person stopped its goal", [SCHEDULE, &[key::<String>("goalId")]];
    Schedule: "schedule.broke", "its goals failed too often in a row; a person looks", [SCHEDULE, &[key::<String>("goalId").maybe(), key::<String>("reason")]];
    Schedule: "schedule.paused", "it stands still", [SCHEDULE, &[key::<String>("by")]];
    Schedule: "schedule.resumed", "it goes on", [SCHEDULE, &[key::<String>("by")]];
    Schedule: "schedule.removed", "it is no more", [SCHEDULE, &[key::<String>("by")]];
    Schedule: "schedule.compacted", "the events before this one are dropped", [SCHEDULE, &[key::<u64>("events").note("how many were dropped")]];
    Conversation: "conversation.started", "a conversation began", [TALK, &[
        key::<String>("personaId"),
        key::<String>("workspace").maybe(),
        key::<String>("by"),
    ]];
    Conversation: "conversation.message", "a person said something", [TALK, &[key::<Turn>("turn")]];
    Conversation: "conversation.requested", "a model is asked for the answer", [TALK, &[key::<String>("model"), key::<u32>("n")]];
    Conversation: "conversation.failed", "the call failed", [TALK, &[
        key::<String>("model"),
        key::<u32>("n"),
        key::<String>("error"),
        key::<bool>("again").note("it is made again"),
    ]];
    Conversation: "conversation.response", "the answer, or why there is none", [TALK, &[
        key::<Turn>("turn"),
        key::<String>("model").maybe(),
        key::<String>("goalId").maybe(),
        key::<TaskInfo>("taskInfo").maybe(),
        key::<String>("cancels").maybe().note("a goal"),
    ]];
    Conversation: "task.narration", "news of a goal that was made in the conversation: its plan, its question", [TALK, &[
        key::<Turn>("turn"),
        key::<String>("goalId"),
    ]];
    Conversation: "task.result", "such a goal has ended", [TALK, &[
        key::<Turn>("turn"),
        key::<String>("goalId"),
        key::<GoalStatus>("result"),
    ]];
    Conversation: "conversation.ended", "a conversation is over", [TALK, &[key::<String>("by")]];
    Conversation: "conversation.compacted", "the events before this one are dropped", [TALK, &[key::<u64>("events").note("how many were dropped")]];
}

/// Every name of the ephemeral lane: in no log, told while it happens to who asks.
DELTA_NAMES {
    RunDelta: "llm.stream.start", "a model was asked", [&[key::<String>("model")]];
    RunDelta: "llm.stream.chunk", "a piece of its answer or reasoning", [CHUNK];
    RunDelta: "llm.stream.end", "its answer is whole", [END];
    RunDelta: "llm.stream.error", "it will not become whole", [&[key::<String>("error")]];
    RunDelta: "tool.output", "a piece of what a tool prints", [&[
        key::<String>("tool"),
        key::<String>("chunk"),
        key::<u64>("index").note("from 0"),
    ]];
    TalkDelta: "conversation.stream.start", "a model was asked in a conversation", [&[key::<String>("model")]];
    TalkDelta: "conversation.stream.chunk", "a piece of its answer or reasoning", [CHUNK];
    TalkDelta: "conversation.stream.end", "the answer is whole", [END];
    TalkDelta: "conversation.stream.error", "it will not become whole", [&[key::<String>("error")]];
}

/// What is told of the connection itself, and what debug events come as.
CONNECTION_NAMES {
    Connection: "connection.authenticated", "you are let in", [&[
        key::<String>("sessionId"),
        key::<Vec<String>>("permissions"),
    ]];
    Connection: "rebase_required", "the log, or the trace, was replaced: the subscription has ended", [&[
        key::<String>("channel").maybe().note("`debug`, if it is of debug events"),
    ]];
    Connection: "debug", "a debug event; only after `debug.events.subscribe`", [&[
        key::<String>("channel").note("`debug`"),
        key::<DebugEvent>("event"),
        key::<u64>("timestamp"),
    ]];
}
}

const CHUNK: &[DataKey] = &[
    key::<String>("chunk"),
    key::<u64>("index").note("from 0"),
    key::<String>("kind").note("`text` or `thought`"),
];
const END: &[DataKey] =
    &[key::<u64>("totalChunks"), key::<u64>("tokensUsed").maybe(), key::<String>("finishReason").maybe()];

impl EventName {
    /// Whether there is an event of this name in the log.
    pub fn is_known(name: &str) -> bool {
        EVENT_NAMES.iter().any(|known| known.name == name)
    }

    /// The event of this name, in the log or not.
    pub fn named(name: &str) -> Option<&'static Self> {
        [EVENT_NAMES, DELTA_NAMES, CONNECTION_NAMES].into_iter().flatten().find(|known| known.name == name)
    }
}

#[cfg(test)]
mod tests {
    use pb_model::approval::ApprovalStatus;
    use pb_model::goal::{ErrorClass, ItemStatus, Phase, Reason, RunStatus};
    use pb_model::schedule::{Missed, ScheduleStatus, SlotResult};
    use pb_model::session::SessionStatus;
    use schemars::JsonSchema;
    use serde::de::DeserializeOwned;

    use super::*;

    /// Types say how a word is serialized, and clients are told what `as_str` gives.
    fn check<T: JsonSchema + DeserializeOwned>(told: fn(T) -> &'static str) {
        let schema = schemars::schema_for!(T).to_value();
        let listed = schema["enum"].as_array().cloned().unwrap_or_default();
        let told_alone = schema["oneOf"].as_array().cloned().unwrap_or_default();
        let words: Vec<_> =
            listed.into_iter().chain(told_alone.into_iter().map(|one| one["const"].clone())).collect();
        assert!(words.len() > 1, "{schema}");
        for word in words {
            assert_eq!(told(serde_json::from_value(word.clone()).unwrap()), word, "{}", T::schema_name());
        }
    }

    #[test]
    fn words_are_those_of_their_types() {
        check(GoalStatus::as_str);
        check(ItemStatus::as_str);
        check(RunStatus::as_str);
        check(Phase::as_str);
        check(Reason::as_str);
        check(ErrorClass::as_str);
        check(EscalationType::as_str);
        check(ApprovalStatus::as_str);
        check(Answer::as_str);
        check(ScheduleStatus::as_str);
        check(SlotResult::as_str);
        check(Missed::as_str);
        check(SessionStatus::as_str);
        check(Lane::as_str);
    }
}
