use crate::support::{assert_slots, smoke};

#[test]
fn a_clock_that_jumps_disturbs_nothing() {
    assert_slots(&smoke("F12", 12));
}
