//! Plays a conversation from a file against the real gateway, frame by frame.
//!
//! ```text
//! # a comment
//! A opens                        a client connects
//! A -> {frame}                   it sends this
//! A => text                      it sends this as it stands
//! A <- {frame}                   it is sent this: events that are not named in between are passed over
//! A <~ {event}                   the same, or it was since it spoke last: before or after its answer
//! A signs <challenge> as <name>  it signs with its device's key
//! ```
//!
//! What is expected names the keys that count; more may be there. In it `"<ms>"` is a time, `"<any>"` is anything and
//! `"<absent>"` is nothing. Any other `"<name>"` is what it was where it stood first, in what is sent as well.

use std::collections::BTreeMap;
use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};

use crate::env::{TIMEOUT, TestEnv};
use crate::socket::Client;

/// The first moment that counts as a time: September 2001. Before it, a number is no millisecond since 1970.
const FIRST_MS: u64 = 1_000_000_000_000;

/// What stands for what, by name.
type Names = BTreeMap<String, Value>;

struct Player<'a> {
    env: &'a TestEnv,
    clients: BTreeMap<String, Client>,
    /// What each was sent since it spoke last, and was passed over.
    passed: BTreeMap<String, Vec<Value>>,
    device: SigningKey,
    names: Names,
}

/// Plays it to its end.
pub(super) fn play(env: &TestEnv, conversation: &str) {
    let mut device = [7; 32];
    device[..4].copy_from_slice(&std::process::id().to_le_bytes());
    let device = SigningKey::from_bytes(&device);
    let key = hex::encode(device.verifying_key().as_bytes());
    let names = BTreeMap::from([("key".to_owned(), json!(key))]);
    let mut player = Player { env, clients: BTreeMap::new(), passed: BTreeMap::new(), device, names };
    for (number, line) in (1..).zip(conversation.lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            let problem = player.line(line).err().unwrap_or_default();
            assert!(problem.is_empty(), "line {number}: {line}\n{problem}");
        }
    }
}

impl Player<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (name, rest) = line.split_once(' ').ok_or("it names no client")?;
        let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match what {
            "opens" => {
                self.clients.insert(name.to_owned(), self.env.connect());
            }
            "->" => {
                let frame: Value = serde_json::from_str(rest).map_err(|error| error.to_string())?;
                let frame = self.filled(frame)?;
                self.passed.remove(name);
                self.client(name)?.send(&frame.to_string());
            }
            "=>" => self.client(name)?.send(rest),
            "<-" | "<~" => {
                let expected: Value = serde_json::from_str(rest).map_err(|error| error.to_string())?;
                if what == "<-" || !self.was_passed(name, &expected) {
                    self.receive(name, &expected)?;
                }
            }
            "signs" => {
                let (challenge, signature) = rest.split_once(" as ").ok_or("it says not as what")?;
                let challenge = self.names.get(bare(challenge).ok_or("no name")?).ok_or("not known")?;
                let challenge =
                    hex::decode(challenge.as_str().unwrap_or_default()).map_err(|e| e.to_string())?;
                let signed = hex::encode(self.device.sign(&challenge).to_bytes());
                self.names.insert(bare(signature).ok_or("no name")?.to_owned(), json!(signed));
            }
            other => return Err(format!("{other} is nothing that a client does")),
        }
        Ok(())
    }

    fn client(&mut self, name: &str) -> Result<&mut Client, String> {
        self.clients.get_mut(name).ok_or_else(|| format!("{name} is not connected"))
    }

    /// The frame with what its names stand for.
    fn filled(&self, value: Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match bare(&text) {
                Some(name) => self.names.get(name).cloned().ok_or(format!("{text} is not known"))?,
                None => Value::String(text),
            },
            Value::Array(values) => {
                Value::Array(values.into_iter().map(|one| self.filled(one)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let filled = fields.into_iter().map(|(key, one)| Ok((key, self.filled(one)?)));
                Value::Object(filled.collect::<Result<_, String>>()?)
            }
            other => other,
        })
    }

    /// Whether it was sent this event since it spoke last.
    fn was_passed(&self, name: &str, expected: &Value) -> bool {
        self.passed.get(name).into_iter().flatten().any(|frame| {
            let mut names = self.names.clone();
            differs("", expected, frame, &mut names).is_none()
        })
    }

    /// Takes frames until the expected one. A response that comes before it is a fault: their order is a promise.
    fn receive(&mut self, name: &str, expected: &Value) -> Result<(), String> {
        let began = Instant::now();
        loop {
            // Pings come for ever.
            let frame = self.client(name)?.frame().filter(|_| began.elapsed() < TIMEOUT);
            let passed = self.passed.entry(name.to_owned()).or_default();
            let names_of =
                |passed: &[Value]| passed.iter().map(|frame| frame["event"].to_string()).collect::<Vec<_>>();
            let frame = frame.ok_or_else(|| format!("it does not come, after {:?}", names_of(passed)))?;
            let mut names = self.names.clone();
            let Some(differs) = differs("", expected, &frame, &mut names) else {
                self.names = names;
                return Ok(());
            };
            if frame["type"] == "res" || is_meant(expected, &frame, &self.names) {
                return Err(format!("{differs} of {frame:#}\nafter {:?}", names_of(passed)));
            }
            passed.push(frame);
        }
    }
}

/// Whether this is the event of a known goal that is meant, so that where it differs it is wrong.
fn is_meant(expected: &Value, frame: &Value, names: &Names) -> bool {
    let goal = expected["data"]["goalId"].as_str().and_then(bare).and_then(|name| names.get(name));
    expected["event"] == frame["event"] && goal.is_some_and(|goal| *goal == frame["data"]["goalId"])
}

/// The name in angle brackets that a text is.
fn bare(text: &str) -> Option<&str> {
    text.strip_prefix('<')?.strip_suffix('>')
}

/// Where the value is not what is expected.
fn differs(place: &str, expected: &Value, value: &Value, names: &mut Names) -> Option<String> {
    let wrong = || Some(format!("{place} is {value}, not {expected}, in this"));
    match expected {
        Value::String(text) => match bare(text) {
            Some("any") => value.is_null().then(wrong).flatten(),
            Some("absent") => (!value.is_null()).then(wrong).flatten(),
            Some("ms") => value.as_u64().is_none_or(|at| at < FIRST_MS).then(wrong).flatten(),
            Some(name) => {
                let known = names.entry(name.to_owned()).or_insert_with(|| value.clone());
                (known != value || value.is_null()).then(wrong).flatten()
            }
            None => (expected != value).then(wrong).flatten(),
        },
        Value::Object(fields) => {
            fields.iter().find_map(|(key, one)| differs(&format!("{place}/{key}"), one, &value[key], names))
        }
        Value::Array(all) => {
            if value.as_array().is_none_or(|values| values.len() != all.len()) {
                return wrong();
            }
            let mut pairs = all.iter().zip(value.as_array().into_iter().flatten()).enumerate();
            pairs.find_map(|(n, (one, value))| differs(&format!("{place}/{n}"), one, value, names))
        }
        // 0 and 0.0 are one number on the wire.
        Value::Number(number) => {
            (value.as_f64().is_none() || value.as_f64() != number.as_f64()).then(wrong).flatten()
        }
        Value::Null | Value::Bool(_) => (expected != value).then(wrong).flatten(),
    }
}

#[test]
fn what_a_line_expects_is_found_or_told() {
    let agrees = |expected: Value, value: Value| differs("", &expected, &value, &mut Names::new()).is_none();
    let frame =
        json!({"id": "r1", "result": {"at": 1_795_339_398_734_u64, "list": [1, {"a": "x"}], "zero": 0.0}});
    assert!(agrees(
        json!({"result": {"at": "<ms>", "list": [1, {"a": "<a>"}], "zero": 0, "none": "<absent>"}}),
        frame.clone()
    ));
    for wrong in [
        json!({"id": "r2"}),
        json!({"result": {"at": "<absent>"}}),
        json!({"result": {"list": [1]}}),
        json!({"result": {"zero": "<ms>"}}),
        json!({"result": {"none": "<any>"}}),
        json!({"id": "<same>", "result": {"at": "<same>"}}),
        json!({"result": {"list": {"0": 1}}}),
    ] {
        assert!(!agrees(wrong.clone(), frame.clone()), "{wrong}");
    }
}
