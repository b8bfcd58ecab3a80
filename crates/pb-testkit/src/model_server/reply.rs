//! One answer of a model.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

/// One answer of a model. What is not set is not there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it thinks before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// The tools that it calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
    /// What it reports to have cost.
    #[serde(skip_serializing_if = "Usage::is_estimated")]
    pub usage: Usage,
    /// Why it ends; else `tool_calls` with calls and `stop` without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Bytes of text, thought and arguments in one chunk, to the next whole character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_bytes: Option<usize>,
    /// The pause before each chunk but the first, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chunk_delay_ms: Option<u64>,
    /// What goes wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Nothing is answered until this name is released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub arguments: Value,
    /// Arguments that are sent as they stand, whether they are JSON or not. Where a wire has no text for
    /// them (Gemini, and Anthropic without streaming) what is not JSON becomes a JSON string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_arguments: Option<String>,
}

/// What a reply reports to have cost. In JSON: nothing, `null`, or `{"input": 10, "output": 5}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Usage {
    /// A quarter of the bytes.
    #[default]
    Estimated,
    /// No count at all, as from some local servers.
    Withheld,
    /// These counts.
    Exact(Tokens),
}

/// Counts of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// All that was read, also from a cache.
    pub input: u64,
    /// All that was written.
    pub output: u64,
    /// What of `input` came from a cache.
    #[serde(default)]
    pub cached: u64,
}

/// Why a reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It is complete.
    Stop,
    /// It waits for tools.
    ToolCalls,
    /// It reached the limit of tokens.
    Length,
    /// The vendor's filter stopped it.
    Refused,
}

/// What goes wrong with a reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected {status}, {cut_after_chunks} or {hang_after_chunks}")]
pub enum Fault {
    /// An HTTP error instead of the reply.
    Status(StatusFault),
    /// The connection is dropped after so many chunks, without the end that HTTP asks for.
    Cut(CutFault),
    /// Silence after so many chunks, until the client leaves.
    Hang(HangFault),
}

/// An HTTP error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusFault {
    /// The HTTP status.
    pub status: u16,
    /// The header `retry-after`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// The body: a text as it stands, anything else as JSON; else what the vendor would say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

/// Where a reply is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutFault {
    /// Chunks (events, when streamed) that are sent before.
    pub cut_after_chunks: usize,
}

/// Where a reply stops coming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HangFault {
    /// Chunks (events, when streamed) that are sent before.
    pub hang_after_chunks: usize,
}

impl Reply {
    /// What it reports to have cost; nothing for a refusal.
    pub(super) fn reported_tokens(&self) -> u64 {
        match (&self.fault, self.usage) {
            (None | Some(Fault::Cut(_) | Fault::Hang(_)), Usage::Exact(tokens)) => {
                tokens.input + tokens.output
            }
            (Some(Fault::Status(_)), _) | (_, Usage::Estimated | Usage::Withheld) => 0,
        }
    }

    /// It says this.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// It calls this tool.
    pub fn call(name: impl Into<String>, arguments: Value) -> Self {
        Self::default().and_call(name, arguments)
    }

    /// It calls this tool with arguments that need not be JSON.
    pub fn raw_call(name: impl Into<String>, arguments: impl Into<String>) -> Self {
        let call = Call { name: name.into(), raw_arguments: Some(arguments.into()), arguments: Value::Null };
        Self { calls: vec![call], ..Self::default() }
    }

    /// Nothing but a fault.
    pub fn broken(fault: Fault) -> Self {
        Self::default().fault(fault)
    }

    /// It also calls this tool.
    pub fn and_call(mut self, name: impl Into<String>, arguments: Value) -> Self {
        self.calls.push(Call { name: name.into(), arguments, raw_arguments: None });
        self
    }

    /// It thinks this before.
    pub fn thought(mut self, thought: impl Into<String>) -> Self {
        self.thought = Some(thought.into());
        self
    }

    /// It reports these tokens.
    pub fn usage(mut self, input: u64, output: u64) -> Self {
        self.usage = Usage::Exact(Tokens { input, output, cached: 0 });
        self
    }

    /// It reports these tokens, of which `cached` of the input came from a cache.
    pub fn usage_with_cache(mut self, input: u64, output: u64, cached: u64) -> Self {
        self.usage = Usage::Exact(Tokens { input, output, cached });
        self
    }

    /// It reports no tokens.
    pub fn no_usage(mut self) -> Self {
        self.usage = Usage::Withheld;
        self
    }

    /// It ends for this reason.
    pub fn finish(mut self, finish: Finish) -> Self {
        self.finish = Some(finish);
        self
    }

    /// It comes in pieces of so many bytes.
    pub fn chunk_bytes(mut self, bytes: usize) -> Self {
        self.chunk_bytes = Some(bytes);
        self
    }

    /// It pauses before each chunk but the first, in milliseconds.
    pub fn chunk_delay_ms(mut self, delay_ms: u64) -> Self {
        self.chunk_delay_ms = Some(delay_ms);
        self
    }

    /// This goes wrong.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Nothing is answered until the name is released.
    pub fn hold(mut self, name: impl Into<String>) -> Self {
        self.hold = Some(name.into());
        self
    }
}

impl Call {
    /// The arguments as text.
    pub(super) fn arguments_text(&self) -> String {
        match &self.raw_arguments {
            Some(raw) => raw.clone(),
            None => self.arguments_object().to_string(),
        }
    }

    /// The arguments as JSON.
    pub(super) fn arguments_object(&self) -> Value {
        match &self.raw_arguments {
            Some(raw) => serde_json::from_str(raw).unwrap_or_else(|_| json!(raw)),
            None if self.arguments.is_null() => json!({}),
            None => self.arguments.clone(),
        }
    }
}

impl Fault {
    /// An HTTP error.
    pub fn status(status: u16) -> Self {
        Self::Status(StatusFault { status, retry_after_s: None, body: None })
    }

    /// An HTTP error with the header `retry-after`.
    pub fn retry_after(status: u16, seconds: u64) -> Self {
        Self::Status(StatusFault { status, retry_after_s: Some(seconds), body: None })
    }

    /// An HTTP error that says this: a text as it stands, anything else as JSON.
    pub fn status_with_body(status: u16, body: Value) -> Self {
        Self::Status(StatusFault { status, retry_after_s: None, body: Some(body) })
    }

    /// The connection is dropped after so many chunks.
    pub fn cut_after(chunks: usize) -> Self {
        Self::Cut(CutFault { cut_after_chunks: chunks })
    }

    /// Silence after so many chunks.
    pub fn hang_after(chunks: usize) -> Self {
        Self::Hang(HangFault { hang_after_chunks: chunks })
    }
}

impl Usage {
    fn is_estimated(&self) -> bool {
        matches!(self, Self::Estimated)
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // The first is left out where it stands in a reply.
            Self::Estimated | Self::Withheld => serializer.serialize_none(),
            Self::Exact(tokens) => tokens.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tokens = Option::<Tokens>::deserialize(deserializer)?;
        Ok(tokens.map_or(Self::Withheld, Self::Exact))
    }
}
