//! Every tool through the one door there is, on real files.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod again;
mod commands;
mod edit;
mod edit_properties;
mod env;
mod escapes;
mod files;
mod list;
mod policy;
mod schemas;
mod search;
