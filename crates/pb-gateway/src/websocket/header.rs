//! Frames from a server (RFC 6455 §5.2): whole messages, unmasked.

use bytes::Bytes;
use pb_protocol::frame::ServerFrame;
use serde::Serialize;

/// The frame is a whole message.
const FIN: u8 = 0x80;
/// The payload length that says that two more bytes tell it.
const LENGTH_16: u8 = 126;
/// The payload length that says that eight more bytes tell it.
const LENGTH_64: u8 = 127;
/// Most bytes of the payload of a control frame.
const CONTROL_BYTES_MAX: usize = 125;

/// What a frame is.
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Opcode {
    Text = 1,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

/// Appends what stands before so many bytes of text.
pub(crate) fn frame_header(out: &mut Vec<u8>, len: usize) {
    header(out, Opcode::Text, len);
}

/// Appends a message whose text `write` appends, of a length that is known only then. Tells where the text
/// begins, and what `write` said.
pub(crate) fn frame_around<T>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> T) -> (usize, T) {
    let start = out.len();
    // As long as that of most events.
    out.extend_from_slice(&[FIN | Opcode::Text as u8, LENGTH_16, 0, 0]);
    let begin = out.len();
    let said = write(out);
    let len = out.len() - begin;
    if let (true, Ok(medium)) = (len >= usize::from(LENGTH_16), u16::try_from(len)) {
        let length = out.get_mut(begin - 2..begin).unwrap_or_default();
        length.copy_from_slice(&medium.to_be_bytes());
        return (begin, said);
    }
    let mut other = Vec::new();
    header(&mut other, Opcode::Text, len);
    let begin = start + other.len();
    out.splice(start..start + 4, other);
    (begin, said)
}

fn header(out: &mut Vec<u8>, opcode: Opcode, len: usize) {
    out.push(FIN | opcode as u8);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(short), _) if short < LENGTH_16 => out.push(short),
        (_, Ok(medium)) => {
            out.push(LENGTH_16);
            out.extend_from_slice(&medium.to_be_bytes());
        }
        _ => {
            out.push(LENGTH_64);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// A frame of ours as a message.
pub(crate) fn text_frame(frame: &ServerFrame) -> Bytes {
    json_frame(frame)
}

/// Plain data as a message: strings, numbers and JSON that was parsed before.
pub(crate) fn json_frame(message: &impl Serialize) -> Bytes {
    let text = serde_json::to_vec(message).unwrap_or_default();
    let mut out = Vec::with_capacity(text.len() + 10);
    frame_header(&mut out, text.len());
    out.extend_from_slice(&text);
    out.into()
}

/// A ping, a pong or a close. What does not fit into one is cut off.
pub(crate) fn control_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let payload = payload.get(..CONTROL_BYTES_MAX).unwrap_or(payload);
    let mut out = Vec::with_capacity(payload.len() + 2);
    header(&mut out, opcode, payload.len());
    out.extend_from_slice(payload);
    out.into()
}

/// A close with its code and reason.
pub(crate) fn close_frame(code: u16, reason: &str) -> Bytes {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    control_frame(Opcode::Close, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_the_shortest_form() {
        for (len, expect) in [
            (0, vec![0x81, 0]),
            (125, vec![0x81, 125]),
            (126, vec![0x81, 126, 0, 126]),
            (65_535, vec![0x81, 126, 0xff, 0xff]),
            (65_536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            frame_header(&mut out, len);
            assert_eq!(out, expect, "{len}");
            let text = vec![b'x'; len];
            let mut around = b"before".to_vec();
            let (begin, ()) = frame_around(&mut around, |out| out.extend_from_slice(&text));
            assert_eq!(around.split_at(begin), ([b"before", expect.as_slice()].concat().as_slice(), &*text));
        }
        assert_eq!(&*close_frame(4008, "slow"), b"\x88\x06\x0f\xa8slow");
    }
}
