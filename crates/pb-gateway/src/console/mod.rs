//! The console: a page for people, and how a browser gets in.
//!
//! The page's files are made of `web/` by `cargo xtask console`, committed, and part of this program. They hold no
//! secret, so a browser is shown them before it has a token: that it brings in the fragment of the address, which
//! goes over no wire, and turns into a cookie once (`session.rs`).

mod cookie;
mod files;
mod session;

pub(crate) use cookie::{cleared, secret_of};
pub(crate) use files::{File, file_at};
pub(crate) use session::{SESSION, enter, leave, look};
