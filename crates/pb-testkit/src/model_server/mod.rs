//! A model server that says what a script tells it, in the wire formats of three vendors.
//!
//! ```
//! use pb_testkit::model_server::{ModelServer, Reply, Script, Wire};
//! use serde_json::json;
//!
//! let script = Script::of([
//!     Reply::call("write_file", json!({"path": "a.txt", "text": "你好"})),
//!     Reply::text("done").usage(20, 2),
//! ]);
//! let server = ModelServer::start(script)?;
//! assert!(server.base_url(Wire::OpenAi).ends_with("/v1/"));
//! assert!(server.requests().is_empty());
//! # anyhow::Ok(())
//! ```
//!
//! What is answered depends on the request alone (which tools, which texts, how many assistant
//! messages), so a client that was killed and asks again gets the same answer again.

mod answer;
mod pieces;
mod reply;
mod request;
mod script;
mod server;
mod state;
mod turn;
mod wire;

pub use reply::{Call, Fault, Finish, Reply, Tokens, Usage};
pub use request::Wire;
pub use script::{Conversation, Script, When};
pub use server::ModelServer;
pub use state::{Arrival, Captured};
