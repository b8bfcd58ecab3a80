//! The console: a page for people, and how a browser gets in.
//!
//! The page's files are made of `web/` by `cargo xtask console`, committed, and part of this program. They hold no
//! secret, so a browser is shown them before it may come in. It brings a code in the fragment of the address, which goes
//! over no wire, and is given an access token for it, once (`session.rs`).

mod cookie;
mod files;
mod session;

pub(crate) use cookie::secret_of;
pub(crate) use files::{File, file_at};
pub(crate) use session::{SESSION, enter, is_entry, leave, look};
