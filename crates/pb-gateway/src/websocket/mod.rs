//! `WebSocket`s on our own terms: the library reads and checks what comes in, and what goes out are bytes
//! that were framed before, shared by all clients, written many at once.
//!
//! The library would copy each frame into a buffer of each connection: with many clients that copying is
//! most of the work, and with slow ones those buffers are most of the memory.

mod header;
mod incoming;
mod outgoing;
mod upgrade;

pub(crate) use header::{
    Opcode, close_frame, control_frame, frame_around, frame_header, json_frame, text_frame,
};
pub(crate) use incoming::Incoming;
pub(crate) use outgoing::{Outgoing, Written};
pub(crate) use upgrade::{Handshake, asks_for_one, handshake};
