//! A report as a document: one template for each form, in `templates/`. What a template prints is escaped
//! for its form unless a filter of ours made it: words of models, tools and people are text, never markup.

mod markdown;
#[cfg(test)]
mod tests;

use anyhow::Context;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, escape_formatter};
use pb_model::Verdict;
use pb_protocol::report::Report;
use serde::Serialize;

use crate::format;

/// The form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Markdown, as GitHub and most readers take it.
    Markdown,
    /// One HTML page that needs nothing else.
    Html,
}

impl Form {
    fn template(self) -> (&'static str, &'static str) {
        match self {
            Self::Markdown => ("report.md", include_str!("../../../templates/report.md")),
            Self::Html => ("report.html", include_str!("../../../templates/report.html")),
        }
    }
}

/// What the templates are given beside the report.
#[derive(Serialize)]
struct Headline {
    /// `good`, `warn` or `bad`.
    class: &'static str,
    word: &'static str,
    spent: Option<String>,
}

/// Writes the document.
pub(crate) fn render(report: &Report, form: Form) -> anyhow::Result<String> {
    let (name, source) = form.template();
    let mut environment = environment().context("the syntax of templates is wrong")?;
    environment.add_template(name, source).context("the template is wrong")?;
    let template = environment.get_template(name).context("the template is missing")?;
    let context = minijinja::context! { report => Serde(report), headline => Serde(headline(report)) };
    template.render(context).context("cannot write the report")
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    // An absent value may be asked for, but not printed.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|name| {
        if name == Form::Html.template().0 { AutoEscape::Html } else { AutoEscape::Custom("markdown".into()) }
    });
    environment.set_formatter(formatter);
    // A line with nothing but a tag leaves nothing behind.
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("moment", format::moment);
    environment.add_filter("duration", format::duration);
    environment.add_filter("size", format::size);
    environment.add_filter("dollars", format::dollars);
    environment.add_filter("count", |number: u64, noun: &str| format::count(number, noun));
    environment.add_filter("word", format::word);
    environment.add_filter("words", |argv: Vec<String>| argv.join(" "));
    environment.add_filter("listed", |all: Vec<String>| all.join(", "));
    environment.add_filter("tail", |text: &str| super::ending::tail(text).to_owned());
    environment.add_filter("code", |text: &str| Value::from_safe_string(markdown::code(text)));
    environment.add_filter("quoted", |text: &str, margin: &str| {
        Value::from_safe_string(markdown::quoted(text, margin))
    });
    environment.add_filter("fenced", |text: &str, margin: &str| {
        Value::from_safe_string(markdown::fenced(text, margin))
    });
    Ok(environment)
}

fn formatter(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let Some(text) = value.as_str().filter(|_| !value.is_safe()) else {
        return escape_or_write(out, state, value);
    };
    match state.auto_escape() {
        AutoEscape::Custom(_) => Ok(out.write_str(&markdown::escaped(text))?),
        _ => escape_formatter(out, state, &Value::from(format::printable(text).into_owned())),
    }
}

/// What is no text, or is markup already.
fn escape_or_write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match state.auto_escape() {
        AutoEscape::Custom(_) => Ok(write!(out, "{value}")?),
        _ => escape_formatter(out, state, value),
    }
}

fn headline(report: &Report) -> Headline {
    let (class, word) = match (report.status.as_str(), report.verdict) {
        ("completed", Some(Verdict::Verified)) => ("good", "verified"),
        ("completed", verdict) => ("warn", verdict.unwrap_or(Verdict::Unverified).as_str()),
        ("failed", _) => ("bad", "failed"),
        ("cancelled", _) => ("bad", "cancelled"),
        ("blocked", _) => ("warn", "needs a human"),
        _ => ("warn", "not finished"),
    };
    let spent = &report.spent;
    let asked_models = spent.turns > 0 || spent.tokens > 0;
    let text = format::spent(spent.tokens, format::micro(spent.cost_usd), spent.unpriced);
    Headline { class, word, spent: asked_models.then_some(text) }
}
