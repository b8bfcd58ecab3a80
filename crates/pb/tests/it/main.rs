//! The binary, as a person meets it: whole outputs and exit codes.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod agent_support;
mod approvals;
mod asking;
mod audit;
mod env;
mod machine;
mod model;
mod replanning;
mod socket;
mod tools;

mod agent;
mod agent_crash;
mod agent_fails;
mod agent_inside;
mod agent_unsafe;
mod branches;
mod budget;
mod client;
mod control;
mod crash;
mod day_budget;
mod debug;
mod edited;
mod ending;
mod examples;
mod false_done;
mod faults;
mod fix_the_bug;
mod follow_py;
mod goal_file;
mod guards;
mod help;
mod inbox;
mod inside;
mod keeping;
mod keys;
mod kill_switch;
mod lanes;
mod length;
mod life;
mod model_fails;
mod models;
mod notify;
mod old_gateway;
mod plan;
mod real_model;
mod reports;
mod reviewing;
mod schedule;
mod schedule_crash;
mod stopping;
mod undo;
mod wrong;
