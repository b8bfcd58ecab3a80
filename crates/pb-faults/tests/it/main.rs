//! Each fault at its smoke size.

#[cfg(test)]
mod store;
