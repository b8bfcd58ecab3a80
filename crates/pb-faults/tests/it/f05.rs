use crate::support::{assert_slots, smoke};

/// Among its seeds are two that found bugs, 4 and 12; `scheduler.rs` has these bugs alone.
#[test]
fn whatever_crashes_when_every_goal_ends_once() {
    assert_slots(&smoke("F5", 1));
}
