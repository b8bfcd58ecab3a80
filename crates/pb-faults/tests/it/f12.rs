use crate::support::smoke;

#[test]
fn a_clock_that_jumps_disturbs_nothing() {
    smoke("F12", 12);
}
