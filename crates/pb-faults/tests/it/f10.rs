use crate::support::smoke;

#[test]
fn clients_that_do_not_read_cost_little_and_lose_nothing() {
    smoke("F10", 10);
}
