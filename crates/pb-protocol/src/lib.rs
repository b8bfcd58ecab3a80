//! The wire: what clients, gateway and scheduler say to each other.
//!
//! Names, shapes and codes are those of the first implementation (`wire.md` §1-§3), with our
//! additions as extra keys that old peers ignore. The frames that a gateway or client builds from
//! these types are the only JSON that crosses a socket.
//!
//! This crate never holds business rules: it says how a thing is said, not whether it is true.
//!
//! Start reading at [`methods`] (what may be asked), then [`frame`] (how), then [`client`].

pub mod audit;
pub mod client;
mod close;
pub mod conversation;
pub mod debug;
pub mod delta;
pub mod domain;
pub mod error;
pub mod event;
mod event_keys;
pub mod event_names;
pub mod event_text;
pub mod frame;
pub mod ipc;
mod json_text;
pub mod line;
pub mod link_text;
pub mod methods;
mod permission;
pub mod report;
pub mod schedule;

pub use close::CloseReason;
pub use error::{ErrorCode, RpcError};
pub use event_keys::{About, DataKey};
pub use methods::Method;
pub use permission::{Permission, Permissions, UnknownPermission};
