//! Lines that are wrong in one way each, made of lines that are right.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// What is right on one of the wires.
pub(super) const SOUND: [&str; 15] = [
    r#"{"type":"connect","timestamp":1,"data":{"clientType":"scheduler-daemon","version":"1.0.0","pid":1243,"caps":["log"],"log":{"id":"a","generation":1,"schema":1,"path":"/x/state.db"}}}"#,
    r#"{"type":"ping","timestamp":2}"#,
    r#"{"type":"scheduler_event","timestamp":3,"data":{"type":"goal_created","timestamp":3,"goalId":"goal_1","data":{"title":"春天","n":1.50},"pos":7,"gen":1,"seq":2,"id":"e7","kind":"goal.created"}}"#,
    r#"{"type":"scheduler_event","timestamp":3,"data":{"pos":7,"type":"goal_created","timestamp":3,"goalId":"goal_1","data":{"title":"春天","n":1.50},"gen":1,"seq":2,"id":"e7","kind":"goal.created"}}"#,
    r#"{"type":"scheduler_delta","timestamp":4,"data":{"goalId":"g","runId":"r","requestId":"q","kind":"tool_output","chunk":"一\n二","index":3,"tool":"run_command"}}"#,
    r#"{"type":"scheduler_command_result","timestamp":5,"data":{"requestId":"r","success":true}}"#,
    r#"{"type":"req","id":"1","method":"system.ping"}"#,
    r#"{"type":"req","id":"2","method":"events.subscribe","params":{"after":"c1.YTEKMQoxMg","kinds":["goal.*"],"deltas":true}}"#,
    r#"{"type":"req","id":"3","method":"goal.submit","params":{"title":"帮我","description":"d","success_criteria":[{"description":"x"}],"idempotencyKey":"k","items":[{"id":"a","work":{"kind":"command","argv":["true"]}}]}}"#,
    r#"{"type":"res","id":"1","result":{"b":1,"a":[1.50]}}"#,
    r#"{"type":"res","id":"","error":{"code":-32700,"message":"x"}}"#,
    r#"{"type":"event","event":"goal.created","data":{"title":"春"},"cursor":"c1.x","seq":1,"gen":2,"at":3,"subscriptionId":"s1"}"#,
    r#"{"type":"cursor","cursor":"c1.x","subscriptionId":"s1"}"#,
    r#"{"type":"lag","dropped":7}"#,
    "c1.YTFiMgozCjEyMzQ1",
];

/// Longest line or message that a peer takes, in bytes.
const LENGTH_MAX: usize = 1024 * 1024;
/// One of so many is over-long: they cost what a thousand others do.
const OVER_LONG_EACH: u32 = 400;

/// How deep the deepest JSON is nested: its line is about a quarter of the longest.
const DEEPEST: usize = 50_000;

/// One of the ways to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Not,
    Cut,
    OverLong,
    NotUtf8,
    Nul,
    Deep,
    OtherType,
    KeyTwice,
    HugeNumber,
    Noise,
}

/// The source of everything random in the case with this number.
pub(super) fn source(seed: u64, case: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A line without its end, and how it is wrong. It never holds a line end.
pub(super) fn line(rng: &mut StdRng) -> (Wrong, Vec<u8>) {
    let wrong = if rng.random_ratio(1, OVER_LONG_EACH) { Wrong::OverLong } else { way(rng) };
    let sound = SOUND[rng.random_range(0..SOUND.len())];
    let mut line = match wrong {
        Wrong::Not => sound.as_bytes().to_vec(),
        Wrong::Cut => sound.as_bytes()[..rng.random_range(0..sound.len())].to_vec(),
        Wrong::OverLong => over_long(sound, rng),
        Wrong::NotUtf8 => with(sound, rng, |rng| vec![rng.random_range(0x80..=0xff); rng.random_range(1..4)]),
        Wrong::Nul => with(sound, rng, |rng| if rng.random() { b"\0".to_vec() } else { br"\u0000".to_vec() }),
        Wrong::Deep => deep(rng),
        Wrong::OtherType => other_type(sound, rng),
        Wrong::KeyTwice => key_twice(sound, rng),
        Wrong::HugeNumber => huge_number(sound, rng),
        Wrong::Noise => {
            let mut noise = vec![0; rng.random_range(0..300)];
            rng.fill_bytes(&mut noise);
            noise
        }
    };
    line.retain(|byte| *byte != b'\n');
    (wrong, line)
}

fn way(rng: &mut StdRng) -> Wrong {
    const WAYS: [Wrong; 9] = [
        Wrong::Not,
        Wrong::Cut,
        Wrong::NotUtf8,
        Wrong::Nul,
        Wrong::Deep,
        Wrong::OtherType,
        Wrong::KeyTwice,
        Wrong::HugeNumber,
        Wrong::Noise,
    ];
    WAYS[rng.random_range(0..WAYS.len())]
}

/// The line with some bytes put in somewhere.
fn with(sound: &str, rng: &mut StdRng, bytes: impl FnOnce(&mut StdRng) -> Vec<u8>) -> Vec<u8> {
    let mut line = sound.as_bytes().to_vec();
    let at = rng.random_range(0..=line.len());
    let bytes = bytes(rng);
    line.splice(at..at, bytes);
    line
}

/// The line with a text in it that is longer than any may be, by a byte or by much.
fn over_long(sound: &str, rng: &mut StdRng) -> Vec<u8> {
    let length = LENGTH_MAX + rng.random_range(1..LENGTH_MAX);
    let at = sound.find('"').map_or(0, |at| at + 1);
    let mut line = sound.as_bytes().to_vec();
    line.splice(at..at, std::iter::repeat_n(b'x', length));
    line
}

fn deep(rng: &mut StdRng) -> Vec<u8> {
    // 128 is how deep the JSON reader goes. What is far deeper costs far more.
    let depth = if rng.random_ratio(1, 50) { DEEPEST } else { rng.random_range(100..1_000) };
    let (open, close) = if rng.random() { ("[", "]") } else { (r#"{"a":"#, "}") };
    let inner = format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let frame = match rng.random_range(0..3) {
        0 => inner,
        1 => format!(r#"{{"type":"req","id":"1","method":"system.ping","params":{inner}}}"#),
        _ => format!(r#"{{"type":"scheduler_event","timestamp":1,"data":{inner}}}"#),
    };
    frame.into_bytes()
}

/// A value somewhere in the line becomes one of another type.
fn other_type(sound: &str, rng: &mut StdRng) -> Vec<u8> {
    const VALUES: [&str; 8] = ["null", "true", "7", "-1", "1.5", r#""x""#, "[]", "{}"];
    replace_value(sound, rng, VALUES)
}

fn huge_number(sound: &str, rng: &mut StdRng) -> Vec<u8> {
    const VALUES: [&str; 8] = [
        "1e999",
        "-1e999",
        "1e-999",
        "-0",
        "18446744073709551615",
        "18446744073709551616",
        "99999999999999999999999999999999999999999999",
        "0.00000000000000000000000000000000000000000000000000001",
    ];
    replace_value(sound, rng, VALUES)
}

pub(super) fn replace_value<const N: usize>(sound: &str, rng: &mut StdRng, values: [&str; N]) -> Vec<u8> {
    let colons: Vec<usize> = sound.match_indices(':').map(|(at, _)| at + 1).collect();
    let value = values[rng.random_range(0..N)];
    if colons.is_empty() {
        return value.as_bytes().to_vec();
    }
    let from = colons[rng.random_range(0..colons.len())];
    let rest = &sound[from..];
    let to = from + rest.find([',', '}']).unwrap_or(rest.len());
    format!("{}{value}{}", &sound[..from], &sound[to..]).into_bytes()
}

/// A key with its value stands in the line once more, with the same value or another.
fn key_twice(sound: &str, rng: &mut StdRng) -> Vec<u8> {
    let again = [r#""type":"ping","#, r#""type":7,"#, r#""id":"9","#, r#""data":{},"#, r#""params":null,"#];
    let again = again[rng.random_range(0..again.len())];
    let at = sound.find('{').map_or(0, |at| at + 1);
    format!("{}{again}{}", &sound[..at], &sound[at..]).into_bytes()
}
