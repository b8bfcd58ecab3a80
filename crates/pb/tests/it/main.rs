//! The binary, as a person meets it: whole outputs and exit codes.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions, but not in what they share")]

mod agent_support;
mod approvals;
mod asking;
mod audit;
mod env;
mod log_level;
mod logs;
mod machine;
mod model;
mod replanning;
mod socket;
mod tokens;
mod told;
mod tools;
mod traced;

mod adding;
mod agent;
mod agent_crash;
mod agent_fails;
mod agent_inside;
mod agent_unsafe;
mod branches;
mod browser;
mod budget;
mod chat;
mod client;
mod compat;
mod completions;
mod conformance;
mod console;
mod control;
mod crash;
mod day_budget;
mod debug;
#[cfg(test)]
mod debug_file;
#[cfg(test)]
mod debug_routes;
#[cfg(test)]
mod debug_server;
mod debug_spans;
mod doctor;
mod doctor_machine;
mod edited;
mod ending;
mod example_clients;
mod examples;
mod false_done;
mod faults;
mod first_clients;
mod fix_the_bug;
mod follow_py;
mod goal_file;
mod goal_files;
mod guards;
mod help;
mod identity;
mod inbox;
mod inside;
mod journal;
mod keeping;
mod keys;
mod kill_switch;
mod lanes;
mod length;
mod life;
mod model_fails;
mod models;
mod network_home;
mod notify;
mod old_gateway;
mod operations;
mod plan;
#[cfg(test)]
mod planted_rows;
mod real_model;
mod reports;
mod requested;
mod reset;
mod reviewing;
mod schedule;
mod schedule_crash;
mod self_check;
mod service;
mod small_home;
mod status;
mod stopping;
mod supervise;
mod typescript;
mod undo;
mod wrong;
