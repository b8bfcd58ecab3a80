//! Event frames written by hand: once for all that get them, and without parsing what is told.

use std::ops::Range;

use crate::json_text::{number, string};

/// An event of the log, borrowed; see [`EventFrame`](crate::frame::EventFrame) for the keys.
#[derive(Debug, Clone, Copy)]
pub struct EventText<'a> {
    /// Its name.
    pub event: &'a str,
    /// What is told about it: JSON, which is passed on byte for byte.
    pub data: &'a str,
    /// Where to resume after it; of characters that JSON writes as they are, as those of base64.
    pub cursor: &'a str,
    /// Its number in its goal.
    pub seq: u64,
    /// The log's generation.
    pub generation: u64,
    /// When it happened, in milliseconds since 1970.
    pub at: u64,
}

impl EventText<'_> {
    /// Appends the frame without its end, which [`end`] makes: it is all that differs between clients.
    /// Tells where two parts of it stand, counted from where it begins.
    pub fn open(&self, out: &mut Vec<u8>) -> Places {
        let begin = out.len();
        out.reserve(self.event.len() + self.data.len() + self.cursor.len() + 128);
        string(out, r#"{"type":"event","event":"#, self.event);
        out.extend_from_slice(br#","data":"#);
        let data = appended(out, begin, self.data);
        out.extend_from_slice(br#","cursor":""#);
        let cursor = appended(out, begin, self.cursor);
        number(out, r#"","seq":"#, self.seq);
        number(out, r#","gen":"#, self.generation);
        number(out, r#","at":"#, self.at);
        Places { data, cursor }
    }
}

fn appended(out: &mut Vec<u8>, begin: usize, text: &str) -> Range<usize> {
    let start = out.len() - begin;
    out.extend_from_slice(text.as_bytes());
    start..out.len() - begin
}

/// Where parts of a frame stand that are wanted alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// What is told.
    pub data: Range<usize>,
    /// The cursor, without its quotes.
    pub cursor: Range<usize>,
}

/// The end of an event frame, for the subscription that it belongs to, if it has a name.
pub fn end(subscription: Option<&str>) -> Vec<u8> {
    let Some(subscription) = subscription else {
        return b"}".to_vec();
    };
    let mut out = Vec::new();
    string(&mut out, r#","subscriptionId":"#, subscription);
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::frame::{EventFrame, ServerFrame};

    #[test]
    fn it_is_what_serde_writes() {
        let data = r#"{"title":"春天", "n": 1.50}"#;
        for subscription in [None, Some("sub_1"), Some("\"\n")] {
            let text =
                EventText { event: "goal.created", data, cursor: "c1.x", seq: 3, generation: 2, at: 1 };
            let mut written = Vec::new();
            let places = text.open(&mut written);
            let [told, cursor] = [places.data, places.cursor].map(|place| written.get(place));
            assert_eq!((told, cursor), (Some(data.as_bytes()), Some("c1.x".as_bytes())));
            written.extend(end(subscription));
            let frame = ServerFrame::Event(EventFrame {
                cursor: Some("c1.x".to_owned()),
                seq: Some(3),
                generation: Some(2),
                at: Some(1),
                subscription_id: subscription.map(str::to_owned),
                ..EventFrame::outside_log("goal.created", RawValue::from_string(data.to_owned()).unwrap())
            });
            assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&frame).unwrap());
        }
    }
}
