//! What tests need: a model whose every word is written beforehand.
//!
//! Only for `[dev-dependencies]`, and for `pb-scripted-model`, the same server as a process of its own.

pub mod model_server;
