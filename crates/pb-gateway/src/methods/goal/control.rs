//! What a person has a goal do: each is a command for the scheduler.

use pb_model::goal::Answer;
use pb_model::{EscalationId, GoalId};
use pb_protocol::RpcError;
use pb_protocol::ipc::SchedulerCommand;
use pb_protocol::methods::Method;
use pb_protocol::methods::escalation::{Respond, RespondData, RespondParams};
use pb_protocol::methods::goal::Accepted;
use pb_protocol::methods::goal_control::{
    GoalParams, Pause, Prioritize, PrioritizeParams, Resume, ResumeParams, Retry,
};
use pb_store::NewCommand;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{resolve, state};
use crate::hub::Hub;
use crate::inbox::commands::{self, Settled};
use crate::methods::Caller;

/// A command about a goal that exists.
pub(in crate::methods) struct Control {
    /// The method that asks for it.
    pub(in crate::methods) method: &'static str,
    /// The goal.
    pub(in crate::methods) goal: GoalId,
    /// What the scheduler reads; the same for a repeat.
    pub(in crate::methods) asked: Value,
    /// The caller's idempotency key.
    pub(in crate::methods) key: Option<String>,
    /// The caller's words, for schedulers that keep no log.
    pub(in crate::methods) reason: Option<String>,
}

impl Control {
    /// Makes it durable, and waits a while for the scheduler. Whether it can be done now is for that to say.
    pub(super) async fn hand_over(self, hub: &Hub, caller: &Caller) -> Result<Accepted, RpcError> {
        Ok(match self.settle(hub, caller).await? {
            Settled::Done(result) => result,
            Settled::Waiting(_) => Accepted { success: true, waiting: true },
        })
    }

    /// The same, with what came of it.
    pub(in crate::methods) async fn settle<T: DeserializeOwned>(
        self,
        hub: &Hub,
        caller: &Caller,
    ) -> Result<Settled<T>, RpcError> {
        state(hub, self.goal).await?;
        let command = NewCommand {
            id: commands::id(hub, caller.actor(), self.method, self.key.as_deref())?,
            params_digest: commands::digest(&self.asked)?,
            actor: caller.actor().to_owned(),
            method: self.method.to_owned(),
            params: self.asked.to_string(),
            goal: self.goal.to_string(),
            at_ms: hub.clock.now_ms(),
        };
        let bell = SchedulerCommand {
            request_id: command.id.clone(),
            command: on_the_link(self.method),
            goal_id: command.goal.clone(),
            reason: self.reason,
        };
        commands::hand_over(hub, command, bell).await
    }
}

/// `goal.cancel` is `cancel_goal` there (`wire.md` §3.1).
pub(in crate::methods) fn on_the_link(method: &str) -> String {
    method.split_once('.').map_or_else(|| method.to_owned(), |(family, verb)| format!("{verb}_{family}"))
}

pub(in crate::methods) async fn pause(
    hub: &Hub,
    caller: &Caller,
    params: GoalParams,
) -> Result<Accepted, RpcError> {
    plain(hub, caller, Pause::NAME, params).await
}

pub(in crate::methods) async fn retry(
    hub: &Hub,
    caller: &Caller,
    params: GoalParams,
) -> Result<Accepted, RpcError> {
    plain(hub, caller, Retry::NAME, params).await
}

async fn plain(
    hub: &Hub,
    caller: &Caller,
    method: &'static str,
    params: GoalParams,
) -> Result<Accepted, RpcError> {
    let goal = resolve(hub, &params.goal_id).await?;
    let asked = json!({"goalId": goal});
    Control { method, goal, asked, key: params.idempotency_key, reason: None }.hand_over(hub, caller).await
}

pub(in crate::methods) async fn resume(
    hub: &Hub,
    caller: &Caller,
    params: ResumeParams,
) -> Result<Accepted, RpcError> {
    let goal = resolve(hub, &params.goal_id).await?;
    if let Some(word) = &params.answer {
        known("answer", word)?;
    } else if params.to.is_some() {
        return Err(RpcError::invalid_params("to: only the answer `raise` takes an amount"));
    }
    let asked = json!({"goalId": goal, "answer": params.answer, "to": params.to});
    Control { method: Resume::NAME, goal, asked, key: params.idempotency_key, reason: None }
        .hand_over(hub, caller)
        .await
}

pub(in crate::methods) async fn prioritize(
    hub: &Hub,
    caller: &Caller,
    params: PrioritizeParams,
) -> Result<Accepted, RpcError> {
    let goal = resolve(hub, &params.goal_id).await?;
    let asked = json!({"goalId": goal, "priority": params.priority});
    Control { method: Prioritize::NAME, goal, asked, key: params.idempotency_key, reason: None }
        .hand_over(hub, caller)
        .await
}

pub(in crate::methods) async fn respond(
    hub: &Hub,
    caller: &Caller,
    params: RespondParams,
) -> Result<Accepted, RpcError> {
    known("action", &params.action)?;
    let not_found = || RpcError::escalation_not_found(&params.escalation_id);
    let id: EscalationId = params.escalation_id.parse().map_err(|_| not_found())?;
    let log = hub.feed.reader().ok_or_else(not_found)?;
    let goal = log.goal_of_escalation(id).await.map_err(RpcError::internal)?.ok_or_else(not_found)?;
    let RespondData { to, text, answers } = params.data.unwrap_or_default();
    let mut asked = json!({"goalId": goal, "escalationId": id, "answer": params.action, "to": to});
    if text.is_some() || !answers.is_empty() {
        asked["text"] = json!(text);
        asked["answers"] = json!(answers);
    }
    Control { method: Respond::NAME, goal, asked, key: params.idempotency_key, reason: None }
        .hand_over(hub, caller)
        .await
}

fn known(key: &str, word: &str) -> Result<Answer, RpcError> {
    word.parse().map_err(|unknown| RpcError::invalid_params(format!("{key}: {unknown}")))
}
