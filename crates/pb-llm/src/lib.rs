//! Models: a neutral request and stream over the `genai` crate; tiers, routing, failover, prices.
//!
//! This crate never knows a goal or what a tool means.
//!
//! Start reading at [`chat`].

pub mod chat;
pub mod price;

pub use chat::{
    Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Delta, Finish, Listener, Message, Said,
    ToolCall, ToolSpec, Usage,
};
pub use price::{MicroUsd, Price};
