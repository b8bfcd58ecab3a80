//! A state machine as a table, for tests that compare and for people who read (`docs/STATES.md`).

/// What is not there yet: where every machine begins.
pub const START: &str = "(new)";

/// A state machine.
#[derive(Debug)]
pub struct Machine {
    /// Whose it is.
    pub name: &'static str,
    /// One sentence about it.
    pub about: &'static str,
    /// Its states, in the order of a life.
    pub states: &'static [State],
    /// Every step that there is.
    pub steps: &'static [Step],
}

/// A state.
#[derive(Debug)]
pub struct State {
    /// The word shown everywhere.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Whether nothing follows by itself, and nothing has to.
    pub is_end: bool,
}

/// A step: from a state, by an event, to a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub &'static str, pub &'static str, pub &'static str);

/// A state that something follows.
pub(crate) const fn state(name: &'static str, about: &'static str) -> State {
    State { name, about, is_end: false }
}

/// A state that nothing has to follow.
pub(crate) const fn end(name: &'static str, about: &'static str) -> State {
    State { name, about, is_end: true }
}

/// Every machine, in the order in which they are told.
pub fn all() -> [&'static Machine; 8] {
    use crate::goal::states::{CONVERSATION, ESCALATION, GOAL, ITEM, RUN};
    [
        &GOAL,
        &ITEM,
        &RUN,
        &CONVERSATION,
        &ESCALATION,
        &crate::approval::MACHINE,
        &crate::schedule::MACHINE,
        &crate::session::MACHINE,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_reached_and_has_a_way_on_or_is_an_end() {
        for machine in all() {
            let known = |name: &str| name == START || machine.states.iter().any(|state| state.name == name);
            for Step(from, event, to) in machine.steps {
                assert!(known(from) && known(to), "{}: {from} -- {event} -> {to}", machine.name);
            }
            let mut sorted = machine.steps.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), machine.steps.len(), "{}: a step is told twice", machine.name);
            for state in machine.states {
                let is_reached =
                    machine.steps.iter().any(|step| step.2 == state.name && step.0 != state.name);
                let goes_on = machine.steps.iter().any(|step| step.0 == state.name && step.2 != state.name);
                assert!(is_reached, "{}: {} is never reached", machine.name, state.name);
                assert!(goes_on || state.is_end, "{}: there is no way out of {}", machine.name, state.name);
            }
        }
    }
}
