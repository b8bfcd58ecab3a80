//! Goal files: TOML in, a [`crate::spec::GoalSpec`] out.
