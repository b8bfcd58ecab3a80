//! A gate as it stands on the wire: flat, every key of its kind and no other.
//!
//! `serde` cannot refuse unknown keys where it flattens, and a misspelt key of a gate would
//! silently weaken what it proves. So each kind is read with all its keys in one place.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::gate::{Check, GateCommand, GateSpec, one};
use super::yes;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum GateWire {
    Command {
        name: Option<String>,
        #[serde(default = "yes")]
        required: bool,
        argv: Vec<String>,
        cwd: Option<String>,
        #[serde(default)]
        env: BTreeMap<String, String>,
        #[serde(default)]
        expect_exit: i32,
        time_limit_s: Option<u64>,
    },
    FileExists {
        name: Option<String>,
        #[serde(default = "yes")]
        required: bool,
        path: String,
    },
    FileContains {
        name: Option<String>,
        #[serde(default = "yes")]
        required: bool,
        path: String,
        text: Option<String>,
        regex: Option<String>,
    },
    FileUnchanged {
        name: Option<String>,
        #[serde(default = "yes")]
        required: bool,
        path: String,
    },
    TestsExecuted {
        name: Option<String>,
        #[serde(default = "yes")]
        required: bool,
        argv: Option<Vec<String>>,
        #[serde(default = "one")]
        min: u64,
        time_limit_s: Option<u64>,
    },
}

impl From<GateWire> for GateSpec {
    fn from(wire: GateWire) -> Self {
        let (name, required, check) = match wire {
            GateWire::Command { name, required, argv, cwd, env, expect_exit, time_limit_s } => {
                let gate = GateCommand { argv, cwd, env, expect_exit, time_limit_s };
                (name, required, Check::Command(gate))
            }
            GateWire::FileExists { name, required, path } => (name, required, Check::FileExists { path }),
            GateWire::FileContains { name, required, path, text, regex } => {
                (name, required, Check::FileContains { path, text, regex })
            }
            GateWire::FileUnchanged { name, required, path } => {
                (name, required, Check::FileUnchanged { path })
            }
            GateWire::TestsExecuted { name, required, argv, min, time_limit_s } => {
                let check = Check::TestsExecuted { argv, min, time_limit_s };
                (name, required, check)
            }
        };
        Self { name, required, check }
    }
}
