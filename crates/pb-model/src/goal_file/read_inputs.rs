//! Reads the inputs that a goal file declares.

use std::collections::BTreeMap;

use super::log::{Log, short};
use super::node::Node;
use super::shape::{Input, InputType};
use crate::spec::{INPUT_BYTES_MAX, INPUTS_MAX, check_input_name, input_variable};

/// Reads `[inputs]` and tells the log which names there are.
pub(super) fn inputs(node: &Node, log: &mut Log) -> Option<BTreeMap<String, Input>> {
    let table = node.table(log, "the inputs")?;
    let entries = table.entries();
    if entries.len() > INPUTS_MAX {
        log.problem(table.at, format!("{} inputs, at most {INPUTS_MAX} are allowed", entries.len()), None);
    }
    let mut inputs = BTreeMap::new();
    let mut variables = BTreeMap::new();
    for (name, at, node) in entries {
        if let Err(invalid) = check_input_name("inputs", &name) {
            log.problem(at, invalid.problem, invalid.hint);
        }
        // Commands see inputs as environment variables, whose names are coarser.
        let variable = input_variable(&name);
        if let Some(other) = variables.insert(variable.clone(), name.clone()) {
            let message =
                format!("inputs `{}` and `{}` are both ${}", short(&other), short(&name), short(&variable));
            log.problem(at, message, Some("rename one of them".to_owned()));
        }
        inputs.insert(name.clone(), input(log, &name, &node).unwrap_or_default());
        log.inputs.insert(name);
    }
    Some(inputs)
}

fn input(log: &mut Log, name: &str, node: &Node) -> Option<Input> {
    let input = if node.is_text() {
        Input { default: node.text(log), ..Input::default() }
    } else {
        let kinds = [("text", InputType::Text), ("path", InputType::Path)];
        let mut table = node.table_or_text(log, &format!("input `{}`", short(name)))?;
        let input = Input {
            description: table.optional(log, "description", Node::text),
            default: table.optional(log, "default", Node::text),
            kind: table.or_default(log, "type", |node, log| node.word(log, &kinds)),
        };
        table.finish(log, &[]);
        input
    };
    if input.default.as_ref().is_some_and(|value| value.len() > INPUT_BYTES_MAX) {
        node.problem(log, format!("the default is longer than {INPUT_BYTES_MAX} bytes"));
    }
    Some(input)
}
