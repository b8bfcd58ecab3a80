//! What people are asked, and what they answered.

use std::collections::BTreeMap;

use pb_model::approval::{self, ApprovalStatus};
use pb_model::goal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A question to a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Escalation {
    /// Its id.
    pub id: String,
    /// When it was raised.
    pub created_at: u64,
    /// The goal.
    pub goal_id: String,
    /// The item; empty when it is about the goal as a whole.
    pub work_item_id: String,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Which kind of question it is.
    #[schemars(with = "goal::EscalationType")]
    pub escalation_type: String,
    /// `high`.
    pub severity: String,
    /// `open` or `resolved`.
    pub status: String,
    /// One line.
    pub title: String,
    /// Why it stopped.
    pub description: String,
    /// Everything needed to decide.
    pub context_data: Packet,
    /// When it is answered by itself, and with which of the options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<Expiry>,
    /// The call that needs a yes, and where that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalState>,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<goal::Answer>")]
    pub resolution_action: Option<String>,
    /// The words and answers that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_data: Option<ResolutionData>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// When, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<u64>,
}

/// Everything needed to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Packet {
    /// What was being done.
    pub context: String,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// How things stand.
    pub current_state: String,
    /// Why it stopped.
    pub root_cause: String,
    /// What can be done.
    pub options: Vec<Choice>,
    /// What is asked, one by one, to be answered with `user_input`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
}

/// One question about a goal that can be read in more than one way (`wire.md` §5.10).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Its name, by which it is answered.
    pub id: String,
    /// The question.
    pub question: String,
    /// Why the answer changes the plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub context: String,
    /// Answers that are offered; others may be given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// What is assumed when nobody answers.
    pub default_value: String,
}

/// What becomes of a question that nobody answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The option that is taken then.
    #[schemars(with = "goal::Answer")]
    pub action: String,
}

/// A call that needs a yes (`security.md` 13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalState {
    /// `pending`, `granted`, `denied`, `expired`, `used` or `void`.
    #[schemars(with = "ApprovalStatus")]
    pub status: String,
    /// The tool.
    pub tool: String,
    /// Program and arguments; empty for a tool that runs nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// The arguments of a tool that runs nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub arguments: String,
    /// The folder that it runs in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cwd: String,
    /// The names of the variables that it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Digest of the program and of each file that the arguments name (blake3, hex), by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Digest of all that the yes is for (blake3, hex).
    pub binding: String,
}

/// What came with an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolutionData {
    /// Words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Answers, by the ids of the questions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub answers: BTreeMap<String, String>,
    /// Whether nobody answered in time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Which, from 1.
    pub attempt: u32,
    /// When it started.
    pub at: u64,
    /// How it ended.
    pub outcome: String,
}

/// One way on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// Its name.
    pub action: String,
    /// What it means.
    pub label: String,
}

impl From<&goal::Escalation> for Escalation {
    fn from(escalation: &goal::Escalation) -> Self {
        let packet = &escalation.packet;
        let resolution = escalation.resolution.as_ref();
        let attempt = |a: &goal::AttemptSummary| Attempt {
            attempt: a.attempt,
            at: a.at_ms,
            outcome: a.outcome.clone(),
        };
        let choice = |o: &goal::EscalationOption| Choice { action: o.action.clone(), label: o.label.clone() };
        Self {
            id: escalation.id.to_string(),
            created_at: escalation.created_at_ms,
            goal_id: escalation.goal_id.to_string(),
            work_item_id: escalation.item_id.map(|id| id.to_string()).unwrap_or_default(),
            run_id: escalation.run_id.map(|id| id.to_string()),
            escalation_type: escalation.escalation_type.as_str().to_owned(),
            severity: "high".to_owned(),
            status: if escalation.is_open() { "open" } else { "resolved" }.to_owned(),
            title: escalation.title.clone(),
            description: packet.root_cause.clone(),
            context_data: Packet {
                context: packet.context.clone(),
                attempts: packet.attempts.iter().map(attempt).collect(),
                current_state: packet.current_state.clone(),
                root_cause: packet.root_cause.clone(),
                options: packet.options.iter().map(choice).collect(),
                questions: packet.questions.iter().map(Question::from).collect(),
            },
            expiry: escalation
                .expiry
                .map(|expiry| Expiry { at: expiry.at_ms, action: expiry.answer.as_str().to_owned() }),
            approval: escalation.approval.as_ref().map(ApprovalState::from),
            resolution_data: resolution.and_then(ResolutionData::of),
            resolution_action: resolution.map(|given| given.answer.as_str().to_owned()),
            resolved_by: resolution.map(|given| given.by.clone()),
            resolved_at: escalation.resolved_at_ms,
        }
    }
}

impl From<&goal::Clarification> for Question {
    fn from(question: &goal::Clarification) -> Self {
        Self {
            id: question.id.clone(),
            question: question.question.clone(),
            context: question.why.clone(),
            options: question.choices.clone(),
            default_value: question.default.clone(),
        }
    }
}

impl From<&approval::Approval> for ApprovalState {
    fn from(approval: &approval::Approval) -> Self {
        let call = &approval.call;
        Self {
            status: approval.status.as_str().to_owned(),
            tool: call.tool.clone(),
            argv: call.argv.clone(),
            arguments: call.arguments.clone(),
            cwd: call.cwd.clone(),
            env: call.env.clone(),
            files: call.files.clone(),
            binding: approval.binding.clone(),
        }
    }
}

impl ResolutionData {
    fn of(given: &goal::Resolution) -> Option<Self> {
        let says = given.text.is_some() || !given.answers.is_empty() || given.expired;
        says.then(|| Self {
            text: given.text.clone(),
            answers: given.answers.clone(),
            expired: given.expired,
        })
    }
}

/// What kind of thing a yes is asked for, in the first implementation's words.
pub(crate) fn request_type(asked: &goal::Escalation) -> &str {
    match &asked.approval {
        Some(approval) if asked.is_request() => &approval.call.tool,
        Some(_) => "tool_execution",
        None => "external_action",
    }
}

/// A question that waits for a yes, as the first implementation's clients know it (`wire.md` §2.6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Its id, which is the escalation's.
    pub id: String,
    /// The goal.
    pub goal_id: String,
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_item_id: Option<String>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// `tool_execution`, `external_action` for a plan or a gate, or what a client called it that asked.
    pub request_type: String,
    /// One line.
    pub description: String,
    /// Everything needed to decide.
    pub details: ApprovalDetails,
    /// `pending`, `approved` or `denied`; more is in `details.approval`.
    pub status: String,
    /// When it was asked, in milliseconds since 1970.
    pub created_at: u64,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<u64>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
}

/// Everything needed to decide, and what was said then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalDetails {
    /// The question.
    #[serde(flatten)]
    pub escalation: Escalation,
    /// The words that came with a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_conditions: Option<String>,
    /// The words that came with a no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial_reason: Option<String>,
}

impl From<&goal::Escalation> for Approval {
    fn from(asked: &goal::Escalation) -> Self {
        let said_yes = asked.resolution.as_ref().is_some_and(|given| given.answer == goal::Answer::Approve);
        // A yes that is void or expired is none, as far as those clients know.
        let holds = asked.approval.as_ref().is_none_or(|approval| match approval.status {
            ApprovalStatus::Granted | ApprovalStatus::Used => true,
            ApprovalStatus::Pending
            | ApprovalStatus::Denied
            | ApprovalStatus::Expired
            | ApprovalStatus::Void => false,
        });
        let status = match (asked.is_open(), said_yes && holds) {
            (true, _) => "pending",
            (false, true) => "approved",
            (false, false) => "denied",
        };
        let words = asked.resolution.as_ref().and_then(|given| given.text.clone());
        let (approval_conditions, denial_reason) = if said_yes { (words, None) } else { (None, words) };
        Self {
            id: asked.id.to_string(),
            goal_id: asked.goal_id.to_string(),
            work_item_id: asked.item_id.map(|id| id.to_string()),
            run_id: asked.run_id.map(|id| id.to_string()),
            request_type: request_type(asked).to_owned(),
            description: asked.title.clone(),
            details: ApprovalDetails {
                escalation: Escalation::from(asked),
                approval_conditions,
                denial_reason,
            },
            status: status.to_owned(),
            created_at: asked.created_at_ms,
            resolved_at: asked.resolved_at_ms,
            resolved_by: asked.resolution.as_ref().map(|given| given.by.clone()),
        }
    }
}
