//! Pieces of JSON, appended to what is written by hand.

/// A number, after what stands before it.
pub(crate) fn number(out: &mut Vec<u8>, before: &str, number: u64) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// A text in quotes, after what stands before it.
pub(crate) fn string(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    let _ = serde_json::to_writer(out, text); // A string always becomes JSON, and a vector takes everything.
}
