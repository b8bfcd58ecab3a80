//! `pb inbox answer`.

use pb_model::goal::Answer;
use pb_protocol::client::Patience;
use pb_protocol::domain::Escalation;
use pb_protocol::methods::escalation::{Respond, RespondData, RespondParams};
use pb_runtime::{Clock, Home, Ids};

use super::LOOKED_AT_MAX;
use crate::amount::amount;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::goal_source::name_and_value;
use crate::{connection, output, wait};

/// Answer one question
///
/// The first answer wins. A goal goes on once nothing is asked of it any more.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  pb inbox answer 3f2a retry
  pb inbox answer 3f2a raise --to 2.50
  pb inbox answer 3f2a approve                        a command, once, exactly as it is shown
  pb inbox answer 3f2a deny --text \"not on a Friday\"
  pb inbox answer 3f2a --set format=pdf --set lang=中文  the questions that it asks, by their names
  pb inbox answer 3f2a alternative_approach --text \"use the API instead\"")]
pub(super) struct Args {
    /// The question's id, or a part of it that no other open question has
    #[arg(value_name = "ID")]
    id: String,
    /// One of the options that it offers; with --set, `user_input` if absent
    #[arg(value_name = "OPTION", required_unless_present = "set")]
    answer: Option<Answer>,
    /// With `raise`: what the cap is raised to, in US dollars, tokens, turns or minutes
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    to: Option<f64>,
    /// Answer one of its questions; may be repeated
    #[arg(long, value_name = "NAME=ANSWER", value_parser = name_and_value)]
    set: Vec<(String, String)>,
    /// Words that come with the answer: how else, or why not
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    wait::client(async {
        let client = connection::client(&home, Patience::None);
        let (questions, _) = super::open(&client, LOOKED_AT_MAX).await?;
        // A whole id may be that of a question that was answered: the scheduler says by whom.
        let asked = meant(&questions, &args.id)?;
        let data =
            RespondData { to: args.to, text: args.text.clone(), answers: args.set.iter().cloned().collect() };
        let params = RespondParams {
            escalation_id: asked.map_or_else(|| args.id.clone(), |asked| asked.id.clone()),
            action: args.answer.unwrap_or(Answer::UserInput).as_str().to_owned(),
            data: (data != RespondData::default()).then_some(data),
            idempotency_key: Some(Ids::random(Clock::System).uuid().to_string()),
        };
        let accepted = client.call::<Respond>(&params).await?;
        if args.json {
            output::json(&accepted)?;
        } else if accepted.waiting {
            output::note("this is done when a scheduler runs: pb scheduler start");
        } else if let Some(asked) = asked {
            output::note(format_args!("answered; follow the goal with: pb goal watch {}", asked.goal_id));
        }
        Ok(Exit::Ok)
    })
}

/// The open question whose id has this part.
fn meant<'a>(questions: &'a [Escalation], part: &str) -> Result<Option<&'a Escalation>, Failure> {
    let fitting: Vec<&Escalation> = questions.iter().filter(|asked| asked.id.contains(part)).collect();
    match fitting.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => {
            let ids: Vec<&str> = several.iter().map(|asked| asked.id.as_str()).collect();
            let message = format!("`{part}` is a part of several ids: {}", ids.join(", "));
            Err(Failure::new(Exit::Usage, message).hint("say more of it"))
        }
    }
}
