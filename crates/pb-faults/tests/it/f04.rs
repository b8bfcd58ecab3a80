use crate::support::smoke;

#[test]
fn nothing_is_lost_or_doubled_on_the_way_to_clients() {
    smoke("F4", 4);
}
