//! What a model may do in a conversation beside talking. Nothing of it is run as a tool: [`Intent::of`] reads the
//! call, and what it means is decided with the answer.

use futures_util::future::BoxFuture;
use pb_llm::{Said, ToolSpec};
use pb_model::GoalId;
use pb_model::session::Session;
use pb_model::spec::Effect;
use pb_tools::{Allowed, Output, Registry, Scope, ToolError, TypedTool};
use schemars::JsonSchema;
use serde::Deserialize;

/// Most answers that a question offers.
const CHOICES_MAX: usize = 8;

/// A goal, in words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MakeGoal {
    /// A short title, in the person's language.
    title: String,
    /// What is to be reached, whole and in the person's language, with everything they said about it: who works on it
    /// does not see this conversation.
    goal: String,
    /// What you tell the person now, in one or two sentences.
    reply: String,
}

/// A question to the person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AskBack {
    /// The question.
    question: String,
    /// Answers to choose from, if there are such; the person may give another one.
    #[serde(default)]
    choices: Vec<String>,
}

/// A goal of this conversation that the person does not want any more.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelGoal {
    /// Its id, as in the list of goals.
    goal: String,
    /// What you tell the person now, in one sentence.
    reply: String,
}

macro_rules! tool {
    ($tool:ident, $arguments:ident, $name:literal, $description:literal, $about:expr) => {
        #[derive(Debug)]
        struct $tool;

        impl TypedTool for $tool {
            type Arguments = $arguments;

            const NAME: &'static str = $name;
            const DESCRIPTION: &'static str = $description;
            const EFFECT: Option<Effect> = Some(Effect::Pure);

            fn about(arguments: &$arguments) -> String {
                $about(arguments)
            }

            fn run<'a>(&'a self, _: $arguments, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
                Box::pin(async { Err(ToolError::Host("it is read, not run".to_owned())) })
            }
        }
    };
}

tool!(
    MakeGoalTool,
    MakeGoal,
    "make_goal",
    "Hands work over: a goal that is planned, done and verified without you, and whose result comes back into this \
     conversation. Use it when the person wants something done, not for what you can answer in words.",
    |arguments: &MakeGoal| arguments.title.clone()
);
tool!(
    AskBackTool,
    AskBack,
    "ask",
    "Asks the person one question, when you cannot tell what they want and a wrong guess would cost them.",
    |arguments: &AskBack| arguments.question.clone()
);
tool!(
    CancelGoalTool,
    CancelGoal,
    "cancel_goal",
    "Stops a goal of this conversation that is not over, when the person says so.",
    |arguments: &CancelGoal| arguments.goal.clone()
);

/// What a model is told that it may do.
pub(super) fn specs() -> Vec<ToolSpec> {
    let registry = Registry::default().with(MakeGoalTool).with(AskBackTool).with(CancelGoalTool);
    let spec = |(name, description, schema): (&str, &str, serde_json::Value)| ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        schema,
    };
    registry.specs(&Allowed::everything()).into_iter().map(spec).collect()
}

/// What an answer comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// Words; whether they are a question.
    Say { text: String, asks: bool },
    /// A goal.
    MakeGoal { text: String, title: String, goal: String },
    /// The end of one.
    CancelGoal { text: String, goal: GoalId },
}

impl Intent {
    /// Reads an answer: its words, and its first call. One answer does one thing.
    ///
    /// # Errors
    /// It cannot be used; the text says why.
    pub(super) fn of(said: &Said, session: &Session) -> Result<Self, String> {
        let words = |reply: String| if said.text.trim().is_empty() { reply } else { said.text.clone() };
        let Some(call) = said.calls.first() else {
            return match said.text.trim() {
                "" => Err("the model said nothing".to_owned()),
                text => Ok(Self::Say { text: text.to_owned(), asks: false }),
            };
        };
        let wrong = |reason: String| format!("the model called `{}` wrongly: {reason}", call.name);
        match call.name.as_str() {
            MakeGoalTool::NAME => {
                let MakeGoal { title, goal, reply } =
                    pb_tools::parse_arguments(&call.arguments).map_err(wrong)?;
                Ok(Self::MakeGoal { text: words(reply), title, goal })
            }
            AskBackTool::NAME => {
                let asked: AskBack = pb_tools::parse_arguments(&call.arguments).map_err(wrong)?;
                if asked.question.trim().is_empty() {
                    return Err(wrong("the question is empty".to_owned()));
                }
                let choices = asked.choices.iter().take(CHOICES_MAX).map(|choice| format!("\n- {choice}"));
                let question: String = std::iter::once(asked.question.clone()).chain(choices).collect();
                let before = said.text.trim();
                let text = if before.is_empty() { question } else { format!("{before}\n{question}") };
                Ok(Self::Say { text, asks: true })
            }
            CancelGoalTool::NAME => {
                let CancelGoal { goal, reply } = pb_tools::parse_arguments(&call.arguments).map_err(wrong)?;
                let known = session.goals.iter().find(|known| known.id.to_string() == goal);
                match known {
                    Some(known) if known.ended.is_none() => {
                        Ok(Self::CancelGoal { text: words(reply), goal: known.id })
                    }
                    Some(known) => {
                        Ok(Self::Say { text: format!("\"{}\" is over already.", known.title), asks: false })
                    }
                    None => Err(wrong(format!("there is no goal `{goal}` in this conversation"))),
                }
            }
            other => Err(format!("the model called `{other}`, which is not there")),
        }
    }
}
