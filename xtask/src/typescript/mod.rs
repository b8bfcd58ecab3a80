//! `docs/rpc.d.ts`: the types of everything that crosses the WebSocket, for clients in TypeScript. Made of the tables
//! of `pb-protocol` and of the schemas that the methods' types derive, so that it cannot say what they do not.

mod definitions;
mod print;

use std::collections::BTreeSet;

use anyhow::bail;
use definitions::{Definitions, RENAME};
use pb_protocol::event_names::{CONNECTION_NAMES, DELTA_NAMES, EVENT_NAMES, EventName};
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::{self, ALIASES, METHODS, Signature};
use pb_protocol::{About, DataKey, ErrorCode};
use print::{Form, Printer, doc, property};
use schemars::SchemaGenerator;
use serde_json::Value;

use crate::generated::Generated;
use crate::rpc_tables;

/// Where the types stand.
const TYPES: &str = "docs/rpc.d.ts";
const HEAD: &str = "\
// The types of everything that crosses the WebSocket of PonyBunny. Written by `cargo xtask codegen`; docs/RPC.md says
// what it means. Keys, events and frames may come that are not here: let them alone.
//
//     import type { Methods, ServerFrame } from \"./rpc.d.ts\";
";
/// The frames, and what follows from the tables in TypeScript itself.
const FRAMES: &str = include_str!("frames.ts");

/// The types.
///
/// # Errors
/// Two types have one name, or a schema says what the printer does not know.
pub(crate) fn types() -> anyhow::Result<Generated> {
    let (mut read, mut written) = (methods::as_read(), methods::as_written());
    let (taken, given) = (methods::signatures(&mut read), methods::signatures(&mut written));
    let events: Vec<_> = all_events().map(|event| keys(event.own_keys(), 2, &mut written)).collect();
    let ids: Vec<_> = About::ALL.iter().map(|about| keys(about.keys().iter(), 1, &mut written)).collect();
    let definitions = Definitions::new(&taken, read.take_definitions(true), written.take_definitions(true));
    let names = definitions.names(&taken, &given)?;
    let printer = Printer { names: &names, form: Form::Written };

    let mut sections = vec![HEAD.to_owned(), FRAMES.to_owned()];
    sections.push(printer.definition("EventKeys", &event_keys())?);
    sections.push(errors());
    sections.push(close_codes());
    sections.push(method_table(&printer, &taken, &given)?);
    sections.push(event_table(&printer, events)?);
    for (about, keys) in About::ALL.into_iter().zip(ids) {
        if let Some((name, what)) = ids_of(about) {
            let keys = printer.keys(keys.into_iter(), 0)?;
            sections.push(format!("{}export interface {name} {keys}\n", doc(what, 0)));
        }
    }
    for (name, form, schema) in definitions.chosen(&names) {
        sections.push(Printer { form, ..printer }.definition(name, schema)?);
    }
    // A list of choices begins on a line of its own.
    let text = sections.join("\n").replace(" \n", "\n");
    each_once(&text)?;
    Ok(Generated { path: TYPES, text })
}

fn all_events() -> impl Iterator<Item = &'static EventName> {
    [EVENT_NAMES, DELTA_NAMES, CONNECTION_NAMES].into_iter().flatten()
}

/// A key as [`Printer::keys`] wants it.
type Key = (&'static str, bool, String, Value);

fn keys(
    keys: impl Iterator<Item = &'static DataKey>,
    depth: usize,
    generator: &mut SchemaGenerator,
) -> Vec<Key> {
    keys.map(|key| (key.name, key.is_always, doc(key.note, depth), key.schema(generator).to_value()))
        .collect()
}

/// What stands beside the name and the data of an event's frame.
fn event_keys() -> Value {
    let mut schema = methods::as_written().into_root_schema_for::<EventFrame>().to_value();
    for own in ["event", "data"] {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.shift_remove(own);
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|key| key != own);
        }
    }
    schema["description"] = "What the frame of an event has beside its name and its data.".into();
    schema
}

fn errors() -> String {
    let rows = ErrorCode::ALL
        .iter()
        .map(|code| format!("{}    {code:?}: {};\n", doc(code.meaning(), 1), code.number()))
        .collect::<Vec<_>>()
        .concat();
    format!("/** The numbers of the errors, by name. */\nexport interface ErrorCodes {{\n{rows}}}\n")
}

fn close_codes() -> String {
    let rows = rpc_tables::close_codes()
        .into_iter()
        .map(|(code, reasons, advice)| {
            let reasons: Vec<String> = reasons.iter().map(|words| format!("{words:?}")).collect();
            format!("{}    {code}: {};\n", doc(advice, 1), reasons.join(" | "))
        })
        .collect::<Vec<_>>()
        .concat();
    format!(
        "/** Why a connection is closed: the reasons, by their code. */\nexport interface CloseCodes {{\n{rows}}}\n"
    )
}

fn method_table(printer: &Printer<'_>, taken: &[Signature], given: &[Signature]) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for ((method, taken), given) in METHODS.iter().zip(taken).zip(given) {
        let words: Vec<String> =
            method.permissions.iter().map(|permission| format!("\"{}\"", permission.as_str())).collect();
        let permission = if words.is_empty() { "null".to_owned() } else { words.join(" | ") };
        let params = printer.type_of(taken.params.as_value(), 1)?;
        let result = printer.type_of(given.result.as_value(), 1)?;
        let name = property(method.name);
        rows.push(doc(method.doc, 1));
        rows.push(format!(
            "    {name}: {{ params: {params}; result: {result}; permission: {permission} }};\n"
        ));
    }
    for (alias, method) in ALIASES {
        rows.push(doc(&format!("Another name of `{method}`, for old clients."), 1));
        rows.push(format!("    {}: Methods[{}];\n", property(alias), property(method)));
    }
    let what = "/** What each method takes and gives, and who may call it. */";
    Ok(format!("{what}\nexport interface Methods {{\n{}}}\n", rows.concat()))
}

fn event_table(printer: &Printer<'_>, events: Vec<Vec<Key>>) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    for (event, keys) in all_events().zip(events) {
        let ids = ids_of(event.about).map(|(name, _)| format!("{name} & ")).unwrap_or_default();
        let keys = printer.keys(keys.into_iter(), 1)?;
        rows.push(format!("{}    {}: {ids}{keys};\n", doc(event.when, 1), property(event.name)));
    }
    let what = "/** What the `data` of each event has. */";
    Ok(format!("{what}\nexport interface Events {{\n{}}}\n", rows.concat()))
}

/// What the keys are called that each event about it has, and what they are.
fn ids_of(about: About) -> Option<(&'static str, &'static str)> {
    match about {
        About::Goal => Some(("GoalIds", "What every event of a goal has.")),
        About::Schedule => Some(("ScheduleIds", "What every event of a schedule has.")),
        About::Conversation => Some(("ConversationIds", "What every event of a conversation has.")),
        About::RunDelta => {
            Some(("RunDeltaIds", "What every piece has of what a model or a tool says in a run."))
        }
        About::TalkDelta => Some(("TalkDeltaIds", "What every piece has of an answer in a conversation.")),
        About::Connection => None,
    }
}

/// # Errors
/// A name is declared twice.
fn each_once(text: &str) -> anyhow::Result<()> {
    let mut seen = BTreeSet::new();
    let declared = text.lines().filter_map(|line| {
        let line = line.strip_prefix("export ")?;
        let line = line.strip_prefix("interface ").or_else(|| line.strip_prefix("type "))?;
        line.split(|c: char| !c.is_ascii_alphanumeric()).next()
    });
    for name in declared {
        if !seen.insert(name) {
            bail!("{TYPES} would have two types `{name}`; {RENAME}");
        }
    }
    Ok(())
}
