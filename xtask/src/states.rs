//! `docs/STATES.md`: the state machines of `pb-model`, drawn and as tables.

use std::fmt::Write;

use pb_model::machine::{self, Machine, START, Step};

use crate::generated::Generated;

/// The page.
pub(crate) fn page() -> Generated {
    let mut text = "# States\n\n\
        Every state machine and every step that it can take. Written by `cargo xtask codegen` from the tables in\n\
        `crates/pb-model/src/goal/states.rs`, `approval.rs`, `schedule/` and `session/`. A test lives thousands of goals and\n\
        compares: there is no step beside these, and each of them happens. [LIFECYCLE.md](LIFECYCLE.md) tells\n\
        the same as a story.\n"
        .to_owned();
    for machine in machine::all() {
        section(machine, &mut text);
    }
    Generated { path: "docs/STATES.md", text }
}

fn section(machine: &Machine, text: &mut String) {
    // Writing to a text does not fail.
    let _ = write!(text, "\n## {}\n\n{}\n\n```mermaid\nstateDiagram-v2\n", machine.name, machine.about);
    for (from, to, events) in arrows(machine) {
        let from = if from == START { "[*]" } else { from };
        let _ = writeln!(text, "    {from} --> {to}: {}", events.join(", "));
    }
    for state in machine.states.iter().filter(|state| state.is_end) {
        let _ = writeln!(text, "    {} --> [*]", state.name);
    }
    text.push_str("```\n\n| state | meaning | may follow |\n|---|---|---|\n");
    for state in machine.states {
        let next: Vec<String> = arrows(machine)
            .into_iter()
            .filter(|(from, ..)| *from == state.name)
            .map(|(_, to, events)| format!("{to} ({})", events.join(", ")))
            .collect();
        let next = if next.is_empty() { "nothing".to_owned() } else { next.join("; ") };
        let mark = if state.is_end { "**" } else { "" };
        let _ = writeln!(text, "| {mark}{}{mark} | {} | {next} |", state.name, state.about);
    }
}

/// From where to where, and by which events.
fn arrows(machine: &Machine) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut arrows: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for Step(from, event, to) in machine.steps {
        match arrows.iter_mut().find(|arrow| (arrow.0, arrow.1) == (from, to)) {
            Some(arrow) => arrow.2.push(event),
            None => arrows.push((from, to, vec![event])),
        }
    }
    arrows
}
