//! Models: a neutral request and stream over the `genai` crate; tiers, routing, failover, prices.
//!
//! This crate never knows a goal or what a tool means.
//!
//! Start reading at [`chat`]; then [`models`] (what is available), [`router`] (who is called) and
//! [`genai_model`] (how).

pub mod chat;
pub mod price;

mod closest;
pub mod credentials;
mod defaults;
pub mod discover;
pub mod models;
pub mod prices;
pub mod providers;
pub mod reach;

pub mod estimate;
pub mod router;

pub mod base_url;
pub mod genai_model;
mod scrub;
mod tls;
pub mod web;
pub mod windows;

pub use chat::{
    Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Delta, Finish, Listener, Message, Said,
    ToolCall, ToolSpec, Usage,
};
pub use credentials::Credentials;
pub use genai_model::{GenaiModel, Key, Limits, ModelAt};
pub use models::{ModelInfo, Models, ModelsError, Source, UnknownModelError, no_model_text};
pub use price::{MicroUsd, Price};
pub use router::{Cooldown, Failed, call};
pub use scrub::without_keys;
pub use tls::init_tls;
pub use web::Web;
