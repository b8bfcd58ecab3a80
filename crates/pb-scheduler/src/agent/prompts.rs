//! Prompts: files in `prompts/`, filled by minijinja. An undefined variable is an error, not a gap.

use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

/// Length of a version, in hex digits.
const VERSION_CHARS: usize = 12;

/// A prompt, by its file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    AgentSystem,
    AgentTask,
    AgentNudge,
    PlanSystem,
    PlanTask,
    PlanNudge,
    ReviewSystem,
    ReviewTask,
    ReviewNudge,
    Guard,
    Condensed,
    SessionSystem,
}

impl Prompt {
    const ALL: [Self; 12] = [
        Self::AgentSystem,
        Self::AgentTask,
        Self::AgentNudge,
        Self::PlanSystem,
        Self::PlanTask,
        Self::PlanNudge,
        Self::ReviewSystem,
        Self::ReviewTask,
        Self::ReviewNudge,
        Self::Guard,
        Self::Condensed,
        Self::SessionSystem,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::AgentSystem => "agent_system",
            Self::AgentTask => "agent_task",
            Self::AgentNudge => "agent_nudge",
            Self::PlanSystem => "plan_system",
            Self::PlanTask => "plan_task",
            Self::PlanNudge => "plan_nudge",
            Self::ReviewSystem => "review_system",
            Self::ReviewTask => "review_task",
            Self::ReviewNudge => "review_nudge",
            Self::Guard => "guard",
            Self::Condensed => "condensed",
            Self::SessionSystem => "session_system",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::AgentSystem => include_str!("../../prompts/agent_system.md"),
            Self::AgentTask => include_str!("../../prompts/agent_task.md"),
            Self::AgentNudge => include_str!("../../prompts/agent_nudge.md"),
            Self::PlanSystem => include_str!("../../prompts/plan_system.md"),
            Self::PlanTask => include_str!("../../prompts/plan_task.md"),
            Self::PlanNudge => include_str!("../../prompts/plan_nudge.md"),
            Self::ReviewSystem => include_str!("../../prompts/review_system.md"),
            Self::ReviewTask => include_str!("../../prompts/review_task.md"),
            Self::ReviewNudge => include_str!("../../prompts/review_nudge.md"),
            Self::Guard => include_str!("../../prompts/guard.md"),
            Self::Condensed => include_str!("../../prompts/condensed.md"),
            Self::SessionSystem => include_str!("../../prompts/session_system.md"),
        }
    }

    /// The prompt with its variables filled in.
    ///
    /// # Errors
    /// The template is wrong, or names a variable that `context` has not.
    pub(crate) fn render(self, context: impl Serialize) -> Result<String, minijinja::Error> {
        ENVIRONMENT
            .as_ref()
            .map_err(|error| minijinja::Error::from(error.kind()))?
            .get_template(self.name())?
            .render(minijinja::value::Serde(&context))
    }
}

static ENVIRONMENT: LazyLock<Result<Environment<'static>, minijinja::Error>> =
    LazyLock::new(|| environment(Prompt::ALL.map(|prompt| (prompt.name(), prompt.text()))));

fn environment(
    templates: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (name, text) in templates {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// Which texts the prompts are: the beginning of the digest over all of them, kept with each answer.
pub(super) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| version_of(Prompt::ALL.map(Prompt::text)));
    &VERSION
}

fn version_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
    }
    hasher.finalize().to_hex().chars().take(VERSION_CHARS).collect()
}

#[cfg(test)]
mod tests;
