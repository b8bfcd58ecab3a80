//! The typed client over WebSocket that everything of ours uses. It survives the gateway.
//!
//! ```text
//!   Client ------- calls -----> a connection, made when one is needed, closed when none was for a while
//!   Subscription -- next() ---> a connection of its own, made again from the cursor when it is lost
//!                                   |
//!                                   +-- Dialer: where is the gateway now? pauses of 50 ms to 2 s
//! ```
//!
//! * A call waits for a gateway that is away, and is repeated when the connection broke under it. That is
//!   safe: reads change nothing, and whatever changes something carries an idempotency key, made here when
//!   the caller gave none.
//! * A subscription has its own connection, so that a slow reader of events never delays an answer. It
//!   remembers its cursor, resumes after it, and hands over each event once. What happened to the
//!   connection, and to the history, are items of their own.
//! * Nothing runs once the last handle is dropped.

mod calls;
pub mod connection;
mod dial;
mod error;
mod seen;
mod subscription;

pub use calls::{Client, Config, Patience};
pub use connection::{Connection, Driver, Events, Incoming, REQUEST_TIMEOUT, connect};
pub use dial::{Find, Place};
pub use error::{Error, NotFound};
pub use subscription::{Item, Subscription};
