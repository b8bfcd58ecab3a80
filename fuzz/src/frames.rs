//! Frames of clients, lines of the link, cursors.

use pb_protocol::ErrorCode;
use pb_protocol::frame::{Request, ServerFrame};
use pb_protocol::ipc::{self, Frame};
use pb_protocol::line::{BadLine, LINE_BYTES_MAX, LineBuffer};
use pb_protocol::link_text::{Glance, glance};
use pb_protocol::methods::of_alias;
use pb_store::Cursor;

/// A line that must be read whatever came before it.
const GOOD: &str = r#"{"type":"ping","timestamp":5}"#;

/// A message of a client, and one of the gateway.
pub fn frames(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Request::parse(text) {
        Ok(request) => {
            assert!(!request.id.is_empty() && !request.method.is_empty());
            let method = of_alias(&request.method).unwrap_or(&request.method);
            crate::methods::of_method(method, &request.params);
        }
        Err(error) => {
            assert!(error.is(ErrorCode::ParseError) || error.is(ErrorCode::InvalidRequest), "{error}");
        }
    }
    if let Ok(frame) = serde_json::from_str::<ServerFrame>(text) {
        let again = serde_json::to_string(&frame).expect("a frame can be written");
        let back = serde_json::from_str::<ServerFrame>(&again).expect("what was written is read");
        assert_eq!(serde_json::to_string(&back).expect("a frame can be written"), again);
    }
}

/// Lines of the link. The first byte says in what pieces they come.
pub fn link(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else { return };
    let mut stream = stream.to_vec();
    stream.push(b'\n');
    stream.extend_from_slice(GOOD.as_bytes());
    stream.push(b'\n');
    let (mut buffer, mut last) = (LineBuffer::default(), None);
    for piece in stream.chunks(usize::from(*step).max(1)) {
        buffer.extend(piece);
        while let Some(line) = buffer.line() {
            if let Ok(text) = line {
                one_line(text);
            }
            last = Some(line.map(str::to_owned));
        }
        assert!(buffer.held() <= LINE_BYTES_MAX, "{} bytes are held for a line", buffer.held());
    }
    assert_eq!(last, Some(Ok::<_, BadLine>(GOOD.to_owned())));
}

fn one_line(text: &str) {
    let parsed = ipc::parse(text);
    if let Ok(parsed) = &parsed {
        match (glance(text), parsed) {
            (None, _) => {}
            (Some(Glance::Event { pos }), Some(Frame::SchedulerEvent(event))) => {
                assert_eq!(event.pos, Some(pos))
            }
            (Some(Glance::Delta), Some(Frame::SchedulerDelta(_))) => {}
            (seen, parsed) => panic!("{seen:?} is seen of {parsed:?}"),
        }
    }
    if let Ok(Some(frame)) = parsed {
        let again = ipc::line(&frame, 1);
        assert_eq!(again.matches('\n').count(), 1, "{again}");
        assert!(matches!(ipc::parse(&again), Ok(Some(_))), "{again}");
    }
}

/// A cursor that is taken comes back as it was.
pub fn cursors(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(cursor) = text.parse::<Cursor>() {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
}
