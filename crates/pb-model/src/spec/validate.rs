//! Checks everything about a specification that can be checked without looking at the machine.
//!
//! This file walks the specification and knows the places; `rules` knows what a good value is.

use super::rules::{
    above_zero, check_argv, check_description, check_env, check_input_name, check_input_value, check_key,
    check_label, check_list, check_ports, check_relative, check_text, check_time_limit, check_title,
    check_workspace, filled,
};
use super::validate_gate::check_reviews;
use super::{
    AgentSpec, CRITERIA_MAX, CRITERION_BYTES_MAX, CommandSpec, GATES_MAX, GoalSpec, INPUTS_MAX, ITEMS_MAX,
    ItemSpec, MODEL_NAME_CHARS_MAX, PRIORITY_MAX, PROMPT_BYTES_MAX, RETRIES_MAX, SuccessCriterion,
    TAG_CHARS_MAX, TAGS_MAX, TOOL_NAME_CHARS_MAX, TOOLS_MAX, TURNS_MAX, Work, input_variable,
};
use crate::goal::{ADDED_ITEMS_MAX, ANSWER_WITHIN_S_MAX, QUESTIONS_MAX};
use crate::plan;

/// One thing wrong with a specification: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Invalid {
    /// Path of the offending value, such as `items[2].needs[0]`.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Invalid {
    /// A problem at a place, without a hint.
    pub fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { place: place.into(), problem: problem.into(), hint: None }
    }

    /// The same problem with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl GoalSpec {
    /// Checks everything that can be checked without looking at the machine.
    ///
    /// # Errors
    /// The first problem found, in reading order.
    pub fn validate(&self) -> Result<(), Invalid> {
        check_title("title", &self.title)?;
        check_description("description", &self.description)?;
        check_list("success_criteria", self.success_criteria.len(), CRITERIA_MAX)?;
        for (n, criterion) in self.success_criteria.iter().enumerate() {
            criterion.validate(&format!("success_criteria[{n}]"))?;
        }
        if self.priority > PRIORITY_MAX {
            let problem = format!("{} is above {PRIORITY_MAX}", self.priority);
            return Err(Invalid::new("priority", problem));
        }
        above_zero("budget_tokens", self.budget_tokens.map(|n| n > 0))?;
        above_zero("budget_time_minutes", self.budget_time_minutes.map(|n| n > 0))?;
        above_zero("budget_turns", self.budget_turns.map(|n| n > 0))?;
        let cost = self.budget_cost_usd.map(|n| n.is_finite() && n > 0.0);
        above_zero("budget_cost_usd", cost)?;
        above_zero("budget_call_tokens", self.budget_call_tokens.map(|n| n > 0))?;
        let call = self.budget_call_usd.map(|n| n.is_finite() && n > 0.0);
        above_zero("budget_call_usd", call)?;
        check_model("model", self.model.as_deref())?;
        if self.plan_only && !self.items.is_empty() {
            return Err(Invalid::new("plan_only", "the goal has its plan already")
                .hint("leave `items` out for a model to plan, or `plan_only` to run them"));
        }
        check_list("tags", self.tags.len(), TAGS_MAX)?;
        for (n, tag) in self.tags.iter().enumerate() {
            check_label(&format!("tags[{n}]"), tag, TAG_CHARS_MAX)?;
        }
        check_workspace("workspace", self.workspace.as_deref())?;
        self.validate_asking()?;
        if self.max_added_items.is_some_and(|most| most > ADDED_ITEMS_MAX) {
            return Err(Invalid::new("max_added_items", format!("it is 0 to {ADDED_ITEMS_MAX}"))
                .hint("0 lets no item add others"));
        }
        self.validate_inputs()?;
        if self.items.len() > ITEMS_MAX {
            let problem = format!("{} items, at most {ITEMS_MAX} are allowed", self.items.len());
            return Err(Invalid::new("items", problem).hint("split the goal"));
        }
        for (n, item) in self.items.iter().enumerate() {
            item.validate(&format!("items[{n}]"))?;
        }
        plan::order(&self.items).map(|_| ())
    }

    fn validate_asking(&self) -> Result<(), Invalid> {
        if self.max_questions.is_some_and(|most| !(1..=QUESTIONS_MAX).contains(&most)) {
            return Err(Invalid::new("max_questions", format!("it is 1 to {QUESTIONS_MAX}"))
                .hint("to be asked nothing: ask = \"never\""));
        }
        if self.answer_within_s.is_some_and(|within| !(1..=ANSWER_WITHIN_S_MAX).contains(&within)) {
            let days = ANSWER_WITHIN_S_MAX / (24 * 3600);
            return Err(Invalid::new("answer_within_s", format!("it is 1 second to {days} days"))
                .hint("write it like \"30m\" or \"12h\""));
        }
        check_tools("approve", &self.approve)
    }

    fn validate_inputs(&self) -> Result<(), Invalid> {
        check_list("inputs", self.inputs.len(), INPUTS_MAX)?;
        let mut variables = std::collections::BTreeMap::new();
        for (name, value) in &self.inputs {
            check_input_name("inputs", name)?;
            let variable = input_variable(name);
            if let Some(other) = variables.insert(variable.clone(), name) {
                let problem = format!("`{other}` and `{name}` are both ${variable}");
                return Err(Invalid::new("inputs", problem).hint("rename one of them"));
            }
            check_input_value(&format!("inputs.{name}"), value)?;
        }
        Ok(())
    }
}

impl SuccessCriterion {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        let description = format!("{place}.description");
        filled(&description, &self.description, "a criterion is not empty")?;
        check_text(&description, &self.description, CRITERION_BYTES_MAX)?;
        let method = format!("{place}.verification_method");
        check_text(&method, &self.verification_method, CRITERION_BYTES_MAX)
    }
}

impl ItemSpec {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        check_key(&format!("{place}.id"), &self.id)?;
        if let Some(title) = &self.title {
            check_title(&format!("{place}.title"), title)?;
        }
        check_description(&format!("{place}.description"), &self.description)?;
        if self.max_retries > Some(RETRIES_MAX) {
            let problem = format!("at most {RETRIES_MAX} retries are allowed");
            return Err(Invalid::new(format!("{place}.max_retries"), problem));
        }
        match &self.work {
            Work::Command(command) => command.validate(place)?,
            Work::Agent(agent) => agent.validate(place)?,
        }
        check_list(&format!("{place}.gates"), self.gates.len(), GATES_MAX)?;
        for (n, gate) in self.gates.iter().enumerate() {
            gate.validate(&format!("{place}.gates[{n}]"), &self.work)?;
        }
        check_reviews(place, &self.gates)?;
        Ok(())
    }
}

impl CommandSpec {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        check_argv(&format!("{place}.argv"), &self.argv)?;
        check_relative(&format!("{place}.cwd"), self.cwd.as_deref())?;
        check_env(&format!("{place}.env"), &self.env)?;
        check_time_limit(&format!("{place}.time_limit"), self.time_limit_s)?;
        check_ports(&format!("{place}.tcp_ports"), &self.tcp_ports)
    }
}

impl AgentSpec {
    fn validate(&self, place: &str) -> Result<(), Invalid> {
        let prompt = format!("{place}.prompt");
        filled(&prompt, &self.prompt, "an agent item needs a prompt")?;
        check_text(&prompt, &self.prompt, PROMPT_BYTES_MAX)?;
        check_tools(&format!("{place}.tools"), &self.tools)?;
        check_tools(&format!("{place}.approve"), &self.approve)?;
        check_model(&format!("{place}.model"), self.model.as_deref())?;
        if self.max_turns.is_some_and(|turns| !(1..=TURNS_MAX).contains(&turns)) {
            let problem = format!("1 to {TURNS_MAX} turns are allowed");
            return Err(Invalid::new(format!("{place}.max_turns"), problem));
        }
        check_time_limit(&format!("{place}.time_limit"), self.time_limit_s)?;
        if self.budget_percent.is_some_and(|percent| !(1..=100).contains(&percent)) {
            return Err(Invalid::new(format!("{place}.budget_percent"), "a share is 1 to 100 percent"));
        }
        above_zero(&format!("{place}.budget_tokens"), self.budget_tokens.map(|n| n > 0))?;
        above_zero(&format!("{place}.budget_usd"), self.budget_usd.map(|usd| usd.0 > 0))
    }
}

fn check_tools(place: &str, tools: &[String]) -> Result<(), Invalid> {
    check_list(place, tools.len(), TOOLS_MAX)?;
    for (n, tool) in tools.iter().enumerate() {
        check_label(&format!("{place}[{n}]"), tool, TOOL_NAME_CHARS_MAX)?;
    }
    Ok(())
}

pub(super) fn check_model(place: &str, model: Option<&str>) -> Result<(), Invalid> {
    model.map_or(Ok(()), |model| check_label(place, model, MODEL_NAME_CHARS_MAX))
}
