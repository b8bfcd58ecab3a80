//! What a person asks for on the command line: a goal file, or a goal in words.

use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_model::GoalSpec;
use pb_model::spec::{Ask, TITLE_CHARS_MAX, Work};

use crate::deadline;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::goal_source::{GoalSource, name_and_value};

/// A goal, and what bounds it.
#[derive(Debug, clap::Args)]
pub(crate) struct Asked {
    /// A goal in words, or the path of a goal file (TOML)
    #[arg(value_name = "TEXT|FILE")]
    goal: String,
    /// Give an input of the goal file a value; may be repeated
    #[arg(long, visible_alias = "input", value_name = "NAME=VALUE", value_parser = name_and_value)]
    set: Vec<(String, String)>,
    /// Work in this folder instead of the goal file's, or of a new one in the home
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Let this model do everything, `provider/model`; see `pb models list`
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Spend at most so much money on models, in US dollars
    #[arg(long, value_name = "USD")]
    budget_usd: Option<f64>,
    /// Use at most so many tokens
    #[arg(long, value_name = "N")]
    budget_tokens: Option<u64>,
    /// Ask models for at most so many answers
    #[arg(long, value_name = "N")]
    budget_turns: Option<u32>,
    /// Let steps run for at most so many minutes
    #[arg(long, value_name = "N")]
    budget_minutes: Option<u64>,
    /// Have it done by then: `30m`, `4h`, `2d`, or a time such as 2026-12-24T18:00; what is not done is
    /// stopped, and you are asked
    #[arg(long, value_name = "WHEN", value_parser = deadline::parse)]
    deadline: Option<u64>,
    #[command(flatten)]
    asking: Asking,
}

/// When you are asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "When you are asked")]
struct Asking {
    /// Whether you are asked when the goal can be read in more than one way: `unclear`, or `never`, which has
    /// it assume, and tell
    #[arg(long, value_name = "WHEN", value_parser = ask)]
    ask: Option<Ask>,
    /// How long you have to answer: `30m`, `12h`, `2d`; after that it goes on with what the question says is
    /// assumed, and what needs your yes is not done; a day if absent
    #[arg(long, value_name = "TIME", value_parser = deadline::length_s)]
    answer_within: Option<u64>,
    /// Have each call of this tool by an agent wait for your yes, such as `run_command`; may be repeated
    #[arg(long, value_name = "TOOL")]
    approve: Vec<String>,
    /// Have the plan that a model makes wait for your yes
    #[arg(long)]
    approve_plan: bool,
}

fn ask(word: &str) -> Result<Ask, String> {
    let known = Ask::ALL.iter().find(|ask| ask.as_str() == word).copied();
    known.ok_or_else(|| format!("there is no `{word}`; there are: {}", Ask::ALL.map(Ask::as_str).join(", ")))
}

impl Asking {
    fn apply(&self, spec: &mut GoalSpec) {
        spec.ask = self.ask.unwrap_or(spec.ask);
        spec.answer_within_s = self.answer_within.or(spec.answer_within_s);
        spec.approve.extend(self.approve.iter().cloned());
        spec.approve_plan |= self.approve_plan;
    }
}

impl Asked {
    /// The goal.
    pub(crate) fn spec(&self) -> Result<GoalSpec, Failure> {
        let mut spec = if self.is_file() { self.source().read()? } else { self.in_words()? };
        if let Some(workspace) = &self.workspace {
            spec.workspace = Some(absolute(workspace)?);
        }
        if let Some(model) = &self.model {
            spec.model = Some(model.clone());
            for item in &mut spec.items {
                if let Work::Agent(agent) = &mut item.work {
                    agent.model = None;
                }
            }
        }
        spec.budget_cost_usd = self.budget_usd.or(spec.budget_cost_usd);
        spec.budget_tokens = self.budget_tokens.or(spec.budget_tokens);
        spec.budget_turns = self.budget_turns.or(spec.budget_turns);
        spec.budget_time_minutes = self.budget_minutes.or(spec.budget_time_minutes);
        spec.deadline_ms = self.deadline.or(spec.deadline_ms);
        self.asking.apply(&mut spec);
        spec.validate().map_err(|invalid| {
            let failure = Failure::new(Exit::Usage, &invalid);
            match &invalid.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })?;
        Ok(spec)
    }

    /// A file that is there, or what can only be meant as one.
    fn is_file(&self) -> bool {
        let path = Path::new(&self.goal);
        let one_word = !self.goal.contains(char::is_whitespace);
        path.is_file()
            || (one_word
                && (path.exists()
                    || path.extension().is_some_and(|end| end == "toml")
                    || self.goal.contains('/')))
    }

    fn source(&self) -> GoalSource {
        GoalSource { file: PathBuf::from(&self.goal), set: self.set.clone() }
    }

    fn in_words(&self) -> Result<GoalSpec, Failure> {
        let text = self.goal.trim();
        if text.is_empty() {
            return Err(Failure::new(Exit::Usage, "the goal is empty")
                .hint("say what you want: pb run \"Create a file hello.txt containing Hello\""));
        }
        if !self.set.is_empty() {
            return Err(Failure::new(Exit::Usage, "--set gives values to the inputs of a goal file")
                .hint("write the values into the goal itself"));
        }
        Ok(GoalSpec::in_words(title(text), text))
    }
}

/// The first line, as long as a title may be.
fn title(text: &str) -> String {
    let line = crate::format::line(text.lines().next().unwrap_or_default().trim());
    if line.chars().count() <= TITLE_CHARS_MAX {
        return line;
    }
    let cut: String = line.chars().take(TITLE_CHARS_MAX - 1).collect();
    format!("{cut}…")
}

/// A path that means the same in the daemons' folder.
pub(crate) fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path).context("cannot tell the workspace's path")?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::new(Exit::Usage, format!("the workspace {} is not Unicode", path.display()))
            .hint("rename the folder")
    })
}
