//! Items that a run adds to its own goal.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn what_a_run_adds_is_done_after_it_and_before_what_needs_it() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        item d needs=a gates=1
        spare b gates=1
        spare c needs=b agent gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=c,b
        show
        verify a1 +
        show
        run b
        exec b1 ok
        verify b1 +
        show
        run c
        next c1 tokens=100
        answer c1 finish?
        act c1 .
        verify c1 +
        show
    "), @"");
}

#[test]
fn an_attempt_that_comes_to_nothing_adds_nothing_and_the_next_may_use_the_same_keys() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        spare b gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=b
        verify a1 -
        show
        at 90000
        run a
        next a2 tokens=100
        answer a2 add_items? finish?
        act a2 +. adds=b
        verify a2 +
        show
    "), @"");
}

#[test]
fn more_than_the_goal_allows_or_deeper_is_not_taken() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        item z agent gates=1
        spare b agent gates=1 adds
        spare c agent gates=1 adds
        spare d agent gates=1
        spare e gates=1
        ready added=3
        run z
        next z1 tokens=100
        answer z1 add_items? finish?
        act z1 +. adds=b
        act z1 -.
        verify z1 +
        run a
        next a1 tokens=100
        answer a1 add_items? add_items? finish?
        act a1 + adds=b,c,d,e
        act a1 + adds=b,d
        act a1 + adds=e,c
        act a1 -.
        verify a1 +
        run b
        next b1 tokens=100
        answer b1 add_items? add_items? finish?
        act b1 + adds=c
        act b1 + adds=e
        act b1 -.
        verify b1 +
        show
    "), @"");
}

#[test]
fn a_goal_that_allows_none_takes_none() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        spare b gates=1
        ready added=0
        run a
        next a1 tokens=100
        answer a1 add_items?
        act a1 + adds=b
    "), @"");
}

#[test]
fn a_kill_before_the_commit_leaves_nothing_and_after_it_everything() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        spare b gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        takeover 2
        act a1 + adds=b @1
        act a1 + adds=b @2
        takeover 3
        act a1 . @3
        takeover 4
        verify a1 + @4
        show
    "), @"");
}

#[test]
fn what_was_added_and_fails_cuts_off_what_needs_its_parent() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        item d needs=a gates=1
        spare b gates=1 retries=0
        ready
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=b
        verify a1 +
        run b
        exec b1 ok
        verify b1 -
        show
        publish
        again
        start
        run b
        exec b2 ok
        verify b2 +
        show
    "), @"");
}

#[test]
fn a_person_who_lets_the_gates_count_lets_the_additions_count() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        spare b gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=b
        verify a1 e
        say 60 approve
        start
        run b
        exec b1 ok
        verify b1 +
        publishing
        publish a1=E
        say b0 approve
        show
    "), @"");
}

#[test]
fn what_is_added_after_a_person_said_finish_is_left_out() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        item x unsafe
        item y
        spare b gates=1
        ready
        run y
        exec y1 ok
        run a
        next a1 tokens=100
        run x
        exec x1 lost
        answer a1 add_items? finish?
        act a1 +. adds=b
        say 90 skip
        verify a1 +
        show
    "), @"");
}

#[test]
fn another_plan_keeps_what_was_added_and_is_done() {
    assert_snapshot!(check("
        item a agent gates=1 adds
        item d needs=a gates=1 retries=0
        spare e needs=a gates=1
        spare b gates=1
        spare c needs=b gates=1 retries=0
        text
        submit
        planrun
        next p tokens=100
        answer p submit_plan?
        adopt p a,d
        start
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=b,c
        verify a1 +
        run b
        exec b1 ok
        verify b1 +
        run c
        exec c1 ok
        verify c1 -
        show
        planrun
        next q tokens=100
        answer q submit_plan?
        adopt q e
        show
    "), @"");
}
