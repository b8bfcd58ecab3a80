//! The answer to one request, with everything that its wire format has to say.

use super::pieces::pieces;
use super::reply::{Call, Finish, Reply, Tokens, Usage};

/// Bytes of a token, roughly.
const TOKEN_BYTES: usize = 4;

/// The answer to one request.
#[derive(Debug)]
pub(super) struct Turn {
    /// Which answer of its conversation, from 0. Ids are made of it, so that a repeated request gets the
    /// same ones.
    pub(super) number: usize,
    /// The model that was asked.
    pub(super) model: String,
    pub(super) reply: Reply,
    /// What the answer says to have cost, if it says so.
    pub(super) tokens: Option<Tokens>,
}

impl Turn {
    pub(super) fn new(number: usize, model: String, reply: Reply, request_bytes: usize) -> Self {
        let tokens = match reply.usage {
            Usage::Estimated => Some(Tokens {
                input: estimated(request_bytes),
                output: estimated(written_bytes(&reply)),
                cached: 0,
            }),
            Usage::Withheld => None,
            Usage::Exact(tokens) => Some(tokens),
        };
        Self { number, model, reply, tokens }
    }

    pub(super) fn finish(&self) -> Finish {
        let natural = if self.reply.calls.is_empty() { Finish::Stop } else { Finish::ToolCalls };
        self.reply.finish.unwrap_or(natural)
    }

    /// The pieces in which a text of the reply is sent.
    pub(super) fn pieces<'t>(&self, text: &'t str) -> Vec<&'t str> {
        pieces(text, self.reply.chunk_bytes)
    }

    /// What proves to the vendor that a thought was its own.
    pub(super) fn signature(&self) -> String {
        format!("signature-{}", self.number)
    }
}

fn written_bytes(reply: &Reply) -> usize {
    let said = [&reply.text, &reply.thought].into_iter().flatten().map(String::len);
    let called = reply.calls.iter().map(|call: &Call| call.name.len() + call.arguments_text().len());
    said.chain(called).sum()
}

fn estimated(bytes: usize) -> u64 {
    bytes.div_ceil(TOKEN_BYTES).max(1) as u64
}
