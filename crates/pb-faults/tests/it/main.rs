//! Each fault at its smoke size, and each planted bug if this build can have them.

mod store;
