//! The tables of docs/RPC.md that are made of the code. The text around them is a person's.
//!
//! A table stands between `<!-- made of the code: NAME -->` and `<!-- end -->`.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use pb_protocol::event_names::{DELTA_NAMES, EVENT_NAMES, EventName};
use pb_protocol::methods::{ALIASES, METHODS};
use pb_protocol::{CloseReason, DataKey, ErrorCode, Permission};

use crate::generated::Generated;

/// The page.
const RPC_REFERENCE: &str = "docs/RPC.md";

const BEGIN: &str = "<!-- made of the code: ";
const BEGIN_END: &str = " -->\n";
const END: &str = "<!-- end -->";

/// The page with its tables as the code says now.
///
/// # Errors
/// The page is not there, or names a table that there is none of.
pub(crate) fn reference(root: &Path) -> anyhow::Result<Generated> {
    let text = std::fs::read_to_string(root.join(RPC_REFERENCE))
        .with_context(|| format!("cannot read {RPC_REFERENCE}"))?;
    Ok(Generated { path: RPC_REFERENCE, text: filled(&text)? })
}

fn filled(text: &str) -> anyhow::Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split(BEGIN);
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (name, rest) = part.split_once(BEGIN_END).context("a table has no name")?;
        let (_, rest) = rest.split_once(END).with_context(|| format!("the table `{name}` has no end"))?;
        write!(out, "{BEGIN}{name}{BEGIN_END}{}{END}{rest}", table(name)?)?;
    }
    Ok(out)
}

fn table(name: &str) -> anyhow::Result<String> {
    match name {
        "methods" => Ok(rows(
            ["method", "permission", "what it does"],
            METHODS.iter().map(|method| {
                let permission = Permission::listed(method.permissions).unwrap_or_else(|| "none".to_owned());
                [format!("`{}`", method.name), permission, method.doc.to_owned()]
            }),
        )),
        "aliases" => Ok(rows(
            ["other name", "method"],
            ALIASES.iter().map(|(alias, method)| [format!("`{alias}`"), format!("`{method}`")]),
        )),
        "errors" => Ok(rows(
            ["code", "name", "meaning"],
            ErrorCode::ALL
                .iter()
                .map(|code| [code.number().to_string(), format!("{code:?}"), code.meaning().to_owned()]),
        )),
        "close codes" => Ok(rows(
            ["code", "reason", "what to do"],
            close_codes().into_iter().map(|(code, reasons, advice)| {
                let words: Vec<String> = reasons.iter().map(|words| format!("`{words}`")).collect();
                [code.to_string(), words.join(", "), advice.to_owned()]
            }),
        )),
        "events" => Ok(events(EVENT_NAMES)),
        "deltas" => Ok(events(DELTA_NAMES)),
        other => bail!("{RPC_REFERENCE} asks for a table `{other}`, which there is none of"),
    }
}

/// Each code with its reasons and what to do; of one code the reasons stand together.
pub(crate) fn close_codes() -> Vec<(u16, Vec<&'static str>, &'static str)> {
    let mut codes: Vec<(u16, Vec<&'static str>, &'static str)> = Vec::new();
    for reason in CloseReason::ALL {
        match codes.last_mut() {
            Some((code, reasons, _)) if *code == reason.code() => reasons.push(reason.words()),
            _ => codes.push((reason.code(), vec![reason.words()], reason.advice())),
        }
    }
    codes
}

fn events(names: &[EventName]) -> String {
    rows(
        ["event", "when", "its own keys in `data`"],
        names.iter().map(|event| {
            let keys: Vec<String> = event.own_keys().map(DataKey::listed).collect();
            [format!("`{}`", event.name), event.when.to_owned(), keys.join(", ")]
        }),
    )
}

fn rows<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line =
        |cells: [String; N]| format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    let heading = line(heading.map(str::to_owned));
    let rows: String = rows.map(line).collect();
    format!("\n{heading}|{}\n{rows}\n", "---|".repeat(N))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_filled_in_and_the_text_around_them_stays() {
        let page = "a\n<!-- made of the code: errors -->\nold\n<!-- end -->\nb\n";
        let fresh = filled(page).unwrap();
        assert!(
            fresh.starts_with("a\n<!-- made of the code: errors -->\n\n| code | name | meaning |\n"),
            "{fresh}"
        );
        assert!(fresh.contains("| -32010 | GoalNotFound | there is no such goal |\n"), "{fresh}");
        assert!(fresh.ends_with("\n\n<!-- end -->\nb\n") && !fresh.contains("old"), "{fresh}");
        assert_eq!(filled(&fresh).unwrap(), fresh);
        for bad in ["<!-- made of the code: x -->\n<!-- end -->", "<!-- made of the code: errors -->\n"] {
            assert!(filled(bad).is_err(), "{bad}");
        }
    }
}
