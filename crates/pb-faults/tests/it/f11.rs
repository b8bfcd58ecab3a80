use crate::support::smoke;

#[test]
fn a_toxic_link_costs_time_and_nothing_else() {
    smoke("F11", 11);
}
