//! Questions that a model has for the person: their form, and everything that is wrong with them.

use futures_util::future::BoxFuture;
use pb_model::goal::{
    ASK_PERSON, CHOICES_MAX, Clarification, EscalationType, GoalState, QUESTION_BYTES_MAX, QUESTIONS_DEFAULT,
    Run,
};
use pb_model::spec::{Ask, Effect};
use pb_tools::{Output, Scope, ToolError, TypedTool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The tool by which a model asks the person. It is never called: [`check`] is, and the answer is the result.
#[derive(Debug)]
pub(super) struct AskPerson;

impl TypedTool for AskPerson {
    type Arguments = Draft;

    const NAME: &'static str = ASK_PERSON;
    const DESCRIPTION: &'static str = "Asks the person who wants the goal, once, before you plan: only what would change the plan and cannot be \
         found out by looking. Your work stands still until they answer, which may take hours; what they leave \
         out you get as the default that you gave.";
    const EFFECT: Option<Effect> = Some(Effect::Pure);

    fn about(draft: &Draft) -> String {
        draft.questions.iter().map(|question| question.question.as_str()).collect::<Vec<_>>().join(" / ")
    }

    fn run<'a>(&'a self, _: Draft, _: &'a Scope) -> BoxFuture<'a, Result<Output, ToolError>> {
        Box::pin(async { Err(ToolError::Host("questions are not run".to_owned())) })
    }
}

/// Everything that is asked, in one packet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Draft {
    /// The questions, the most important one first.
    questions: Vec<DraftQuestion>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DraftQuestion {
    /// A short name for it, unique: letters, digits, `-`, `_`.
    id: String,
    /// The question, in the language of the goal.
    question: String,
    /// Why the answer changes the plan.
    #[serde(default)]
    why: String,
    /// Answers to choose from; the person may give another one.
    #[serde(default)]
    options: Vec<String>,
    /// What you would assume if nobody answers.
    default: String,
}

/// Whether a model that plans may ask: the person did not say no, and nothing was asked yet.
pub(super) fn may_ask(state: &GoalState, run: &Run) -> bool {
    let asked = state
        .escalations
        .iter()
        .any(|asked| asked.item_id.is_none() && asked.escalation_type == EscalationType::Clarification);
    run.is_planning() && state.goal.spec.ask != Ask::Never && !asked
}

/// The questions, or what is wrong with them, for the model.
pub(super) fn check(arguments: &Value, state: &GoalState) -> Result<Vec<Clarification>, String> {
    let draft: Draft = pb_tools::parse_arguments(arguments)
        .map_err(|reason| format!("the questions were not understood: {reason}"))?;
    let most = state.goal.spec.max_questions.unwrap_or(QUESTIONS_DEFAULT) as usize;
    match draft.questions.len() {
        0 => return Err("there is no question: plan, and assume what is unclear".to_owned()),
        count if count > most => {
            return Err(format!(
                "{count} questions, at most {most} may be asked: ask only what changes the plan most"
            ));
        }
        _ => {}
    }
    let mut questions: Vec<Clarification> = Vec::new();
    for asked in draft.questions {
        let DraftQuestion { id, question, why, options, default } = asked;
        let known = questions.iter().any(|other| other.id == id);
        let named = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        if known || !named {
            return Err(format!(
                "`{id}` is no name for a question: letters, digits, `-`, `_`, each name once"
            ));
        }
        let too_long = |text: &String| text.len() > QUESTION_BYTES_MAX;
        let long = [&question, &why, &default].into_iter().any(too_long) || options.iter().any(too_long);
        if long || options.len() > CHOICES_MAX {
            return Err(format!(
                "question `{id}` is too long: texts of at most {QUESTION_BYTES_MAX} bytes, at most {CHOICES_MAX} options"
            ));
        }
        if let Some(said) = empty_or_again(&options) {
            return Err(format!(
                "question `{id}` offers `{said}`: give each option once, and none that is empty"
            ));
        }
        if question.trim().is_empty() || default.trim().is_empty() {
            return Err(format!("question `{id}` needs a `question` and a `default`"));
        }
        questions.push(Clarification { id, question, why, choices: options, default });
    }
    Ok(questions)
}

/// An option that says nothing, or what another said before it: whoever picks it would pick both.
fn empty_or_again(options: &[String]) -> Option<&str> {
    let mut before: Vec<&str> = Vec::new();
    for option in options.iter().map(|option| option.trim()) {
        if option.is_empty() || before.contains(&option) {
            return Some(option);
        }
        before.push(option);
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::scratch;

    /// What becomes of one question with these options.
    fn asked(options: &Value) -> Result<usize, String> {
        let question = json!({"id": "format", "question": "格式？", "default": "txt", "options": options});
        check(&json!({"questions": [question]}), &scratch::goal("title = '写'"))
            .map(|questions| questions.len())
    }

    #[test]
    fn an_option_is_offered_once_and_says_something() {
        assert_eq!(asked(&json!(["txt", "md"])), Ok(1));
        assert_eq!(asked(&json!([])), Ok(1));
        for (options, said) in [(json!(["txt", "md", " txt"]), "txt"), (json!(["txt", " "]), "")] {
            let expected =
                format!("question `format` offers `{said}`: give each option once, and none that is empty");
            assert_eq!(asked(&options), Err(expected));
        }
    }
}
