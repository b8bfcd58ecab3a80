//! Items that a run adds to its own goal.

use insta::assert_snapshot;

use super::script::{check, state_after};

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
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
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=c,b
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds c, b
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    = active verification, a verify, d queued, spent 0 ms and since 40
    = wants verify a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created c queued added by a
      workitem.created b ready added by a
    = active execution, a done, d queued, c queued, b ready, spent 40 ms
    = wants start b
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
      workitem.updated c ready
    = active execution, a done, d queued, c ready, b done, spent 60 ms
    = wants start c
    > run c
      workitem.started c1
      run.started c1
    > next c1 tokens=100
      model.requested c1 #1 100 token(s) 0 µUSD
    > answer c1 finish?
      model.answered c1 #1 100 token(s) assumed finish#2
    > act c1 .
      tool.completed c1 finish#2 Finished
      run.executed c1 (the agent finished)
      verification.started c1
    > verify c1 +
      gate.completed c1 g0 +
      verification.completed c1 verified
      run.completed c1 success
      workitem.completed c1 verified
      workitem.updated d ready
    = active execution, a done, d ready, c done, b done, spent 100 ms
    = wants start d
    ");
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
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=b
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 retry: attempt 1 of 4: gate "g0": it is not there
      workitem.updated a retry 1 at 320
    = active execution, a queued, spent 40 ms
    = wants nothing
    = wakes at 320
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=100
      model.requested a2 #1 100 token(s) 0 µUSD
    > answer a2 add_items? finish?
      model.answered a2 #1 100 token(s) assumed add_items#2 finish#3
    > act a2 +. adds=b
      tool.completed a2 add_items#2 Ok
      workitem.added a2 adds b
      tool.completed a2 finish#3 Finished
      run.executed a2 (the agent finished)
      verification.started a2
    > verify a2 +
      gate.completed a2 g0 +
      verification.completed a2 verified
      run.completed a2 success
      workitem.completed a2 verified
      workitem.created b ready added by a
    = active execution, a done, b ready, spent 80 ms
    = wants start b
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
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
    "), @"
    > run z
      workitem.started z1
      run.started z1
    > next z1 tokens=100
      model.requested z1 #1 100 token(s) 0 µUSD
    > answer z1 add_items? finish?
      model.answered z1 #1 100 token(s) assumed add_items#2 finish#3
    > act z1 +. adds=b
      refused: not now: the run may not add these items
    > act z1 -.
      tool.completed z1 add_items#2 Failed
      tool.completed z1 finish#3 Finished
      run.executed z1 (the agent finished)
      verification.started z1
    > verify z1 +
      gate.completed z1 g0 +
      verification.completed z1 verified
      run.completed z1 success
      workitem.completed z1 verified
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 add_items#3 finish#4
    > act a1 + adds=b,c,d,e
      refused: not now: the run may not add these items
    > act a1 + adds=b,d
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b, d
    > act a1 + adds=e,c
      refused: not now: the run may not add these items
    > act a1 -.
      tool.completed a1 add_items#3 Failed
      tool.completed a1 finish#4 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created b ready added by a
      workitem.created d ready added by a
    > run b
      workitem.started b1
      run.started b1
    > next b1 tokens=100
      model.requested b1 #1 100 token(s) 0 µUSD
    > answer b1 add_items? add_items? finish?
      model.answered b1 #1 100 token(s) assumed add_items#2 add_items#3 finish#4
    > act b1 + adds=c
      refused: not now: the run may not add these items
    > act b1 + adds=e
      tool.completed b1 add_items#2 Ok
      workitem.added b1 adds e
    > act b1 -.
      tool.completed b1 add_items#3 Failed
      tool.completed b1 finish#4 Finished
      run.executed b1 (the agent finished)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
      workitem.created e ready added by b
    = active execution, a done, z done, b done, d ready, e ready, spent 180 ms
    = wants start d, start e
    ");
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
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items?
      model.answered a1 #1 100 token(s) assumed add_items#2
    > act a1 + adds=b
      refused: not now: the run may not add these items
    ");
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
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
    > act a1 + adds=b @1
      refused: the run is not held by this incarnation any more
    > act a1 + adds=b @2
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
    > act a1 . @3
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > takeover 4
      goal.updated taken over by 4
      run.continued a1 by 4
    > verify a1 + @4
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created b ready added by a
    = active execution, a done, b ready, spent 60 ms
    = wants start b
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
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
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=b
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created b ready added by a
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 -
      gate.completed b1 g0 -
      verification.completed b1 failed
      run.completed b1 failure GATE_FAILED
      evaluation.decided b1 give_up: no attempt is left: gate "g0": it is not there
      workitem.failed b GATE_FAILED
    = active execution, a done, d queued, b failed, spent 60 ms
    = wants publish
    > publish
      goal.failed dead_letter (item `b`: gate "g0": it is not there)
    > again
      goal.updated resumed by ann
      workitem.updated b reopened
    > start
      goal.started
    > run b
      workitem.started b2
      run.started b2
    > exec b2 ok
      run.executed b2 (the command exited with 0)
      verification.started b2
    > verify b2 +
      gate.completed b2 g0 +
      verification.completed b2 verified
      run.completed b2 success
      workitem.completed b2 verified
      workitem.updated d ready
    = active execution, a done, d ready, b done, spent 80 ms
    = wants start d
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
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
        say 80 approve
        start
        run b
        exec b1 ok
        verify b1 +
        publishing
        publish a1=E
        say f0 approve
        start
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=b
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified
      run.completed a1 success
      escalation.created a1 ?80 approval
      workitem.blocked a ?80
      goal.blocked ?80
    > say 80 approve
      escalation.resolved a ?80 approve by bob
      gate.approved a1 check.sh as e by bob
      workitem.completed a1 verified
      workitem.created b ready added by a
      goal.updated resumed by bob
    > start
      goal.started
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
    > publishing
      goal.updated publishing
    > publish a1=E
      gate.completed a1 g0 +, edited
      verification.completed a1 verified, again
      escalation.created a1 ?f0 approval
      workitem.blocked a ?f0
      goal.blocked ?f0
    > say f0 approve
      escalation.resolved a ?f0 approve by bob
      gate.approved a1 check.sh as E by bob
      workitem.completed a1 verified
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a done, b done, spent 60 ms
    = wants begin publish
    ");
}

#[test]
fn what_is_added_after_a_person_said_finish_is_left_out() {
    assert_snapshot!(check("
        item x agent tokens=50
        item y
        item a agent gates=1 adds
        spare b gates=1
        ready
        run y
        exec y1 ok
        run x
        next x1 tokens=100
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        act a1 +. adds=b
        say 70 finish
        verify a1 +
        show
    "), @"
    > run y
      workitem.started y1
      run.started y1
    > exec y1 ok
      run.executed y1 (the command exited with 0)
      run.completed y1 success
      workitem.completed y1 unverified
    > run x
      workitem.started x1
      run.started x1
    > next x1 tokens=100
      run.completed x1 timeout BUDGET_EXHAUSTED
      budget.exceeded x item's share of the budget
      escalation.created x1 ?70 budget
      workitem.blocked x ?70
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=b
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > say 70 finish
      escalation.resolved x ?70 finish by bob
      workitem.updated x skipped by bob
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created b ready added by a
      workitem.updated b skipped by bob
    = active execution, x skipped, y done, a done, b skipped, spent 70 ms
    = wants begin publish
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
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
    "), @r#"
    > submit
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan?
      model.answered p #1 100 token(s) assumed submit_plan#2
    > adopt p a,d
      tool.completed p submit_plan#2 Finished
      run.completed p success
      workitem.created a ready
      workitem.created d queued
      goal.updated planned 2 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 add_items? finish?
      model.answered a1 #1 100 token(s) assumed add_items#2 finish#3
    > act a1 +. adds=b,c
      tool.completed a1 add_items#2 Ok
      workitem.added a1 adds b, c
      tool.completed a1 finish#3 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created b ready added by a
      workitem.created c queued added by a
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
      workitem.updated c ready
    > run c
      workitem.started c1
      run.started c1
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      verification.started c1
    > verify c1 -
      gate.completed c1 g0 -
      verification.completed c1 failed
      run.completed c1 failure GATE_FAILED
      evaluation.decided c1 replan: item `c` cannot be done as planned (plan 1): gate "g0": it is not there
      workitem.failed c GATE_FAILED
      workitem.updated d superseded
      workitem.updated c superseded
      goal.replanning by evaluation: item `c` cannot be done as planned (plan 1): gate "g0": it is not there
    = active execution, a done, d skipped, b done, c skipped, spent 110 ms
    = wants have it planned
    > planrun
      run.started q
    > next q tokens=100
      model.requested q #1 100 token(s) 0 µUSD
    > answer q submit_plan?
      model.answered q #1 100 token(s) assumed submit_plan#2
    > adopt q e
      tool.completed q submit_plan#2 Finished
      run.completed q success
      workitem.created e ready
      goal.updated planned 1 item(s)
    = active planning, a done, d skipped, b done, c skipped, e ready, spent 140 ms
    = wants start e
    "#);
}

#[test]
fn a_key_that_another_plan_took_meanwhile_becomes_one_like_it() {
    let life = check(
        "
        item a agent gates=1 adds
        item f gates=1 retries=0
        spare b gates=1
        spare c gates=1
        text
        submit
        planrun
        next p tokens=100
        answer p submit_plan?
        adopt p a,f
        start
        run a
        next a1 tokens=100
        answer a1 add_items? finish?
        run f
        exec f1 ok
        verify f1 -
        planrun
        act a1 +. adds=c>b
        next q tokens=100
        answer q submit_plan?
        adopt q b
        verify a1 +
        show
    ",
    );
    let (_, last) = life.split_once("> adopt q b").unwrap();
    assert_snapshot!(last, @"
      tool.completed q submit_plan#2 Finished
      run.completed q success
      workitem.created b ready
      goal.updated planned 1 item(s)
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.created c ready added by a
    = active execution, a done, f skipped, b ready, b-2 ready, spent 140 ms
    = wants start b, start c
    ");
}

#[test]
fn a_person_sees_which_items_of_a_plan_may_add_others() {
    let life = check(
        "
        item a agent gates=1 adds
        item b agent gates=1
        text
        submit approve-plan
        planrun
        next p tokens=100
        answer p submit_plan?
        adopt p a,b
        packet
    ",
    );
    let (_, packet) = life.split_once("? ?").unwrap();
    assert_snapshot!(packet, @r#"
    50: a plan of 2 item(s) waits for your yes
      goal "a goal"
      nothing of it was done; a: a (may add items); b: b
      approve, alternative_approach, cancel
    "#);
}

/// No decision makes such a history, but a file from somebody else may tell of it.
#[test]
fn items_that_added_each_other_are_waited_for_once() {
    let mut state = state_after("item a agent gates=1\n item b gates=1\n item c needs=a gates=1\n ready");
    let ids: Vec<_> = state.items.iter().map(|item| item.id).collect();
    let [a, b, c] = ids[..] else { panic!("three items") };
    state.items[0].added_by = Some(b);
    state.items[1].added_by = Some(a);
    assert_eq!(state.waits_on(&state.items[2]), [a, b]);
    assert_eq!(state.added_depth(&state.items[0]), 3);
    assert_eq!(state.items[2].id, c);
}
