//! Lives of goals without a crash, from submission to delivery.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn files_that_are_gone_or_too_many_are_counted() {
    let ends = |publish: &str| {
        let told = check(&format!(
            "item a gates=1\nsubmit\nplan\nstart\nrun a\nexec a1 ok\nverify a1 +\npublishing\n{publish}"
        ));
        told.lines().rfind(|line| line.contains("goal.completed")).unwrap().trim().to_owned()
    };
    assert_eq!(ends("publish files=1"), "goal.completed (1 item done, 1 file delivered)");
    assert_eq!(ends("publish files=1 gone=2"), "goal.completed (1 item done, 1 file delivered, 2 removed)");
    assert_eq!(
        ends("publish files=3 gone=1 more=7"),
        "goal.completed (1 item done, 4 files delivered or removed, and 7 more)"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn a_diamond_is_delivered() {
    assert_snapshot!(check("
        item top gates=1
        item left needs=top gates=2
        item right needs=top
        item end needs=left,right gates=1 optional=1
        submit
        show
        plan
        show
        start
        run top
        exec top1 ok
        verify top1 +
        show
        run left
        run right
        exec left1 ok
        exec right1 ok
        verify left1 ++
        run end
        exec end1 ok
        verify end1 +-
        show
        publishing
        show
        publish left1=++ files=2
        show
    "), @"
    > submit
      goal.created
    = queued intake, spent 0 ms
    = wants plan
    > plan
      workitem.created top ready
      workitem.created left queued
      workitem.created right queued
      workitem.created end queued
      goal.updated planned 4 item(s)
    = queued planning, top ready, left queued, right queued, end queued, spent 0 ms
    = wants prepare
    > start
      goal.started
    > run top
      workitem.started top1
      run.started top1
    > exec top1 ok
      run.executed top1 (the command exited with 0)
      verification.started top1
    > verify top1 +
      gate.completed top1 g0 +
      verification.completed top1 verified
      run.completed top1 success
      workitem.completed top1 verified
      workitem.updated left ready
      workitem.updated right ready
    = active execution, top done, left ready, right ready, end queued, spent 20 ms
    = wants start left, start right
    > run left
      workitem.started left1
      run.started left1
    > run right
      workitem.started right1
      run.started right1
    > exec left1 ok
      run.executed left1 (the command exited with 0)
      verification.started left1
    > exec right1 ok
      run.executed right1 (the command exited with 0)
      run.completed right1 success
      workitem.completed right1 unverified
    > verify left1 ++
      gate.completed left1 g0 +
      gate.completed left1 g1 +
      verification.completed left1 verified
      run.completed left1 success
      workitem.completed left1 verified
      workitem.updated end ready
    > run end
      workitem.started end1
      run.started end1
    > exec end1 ok
      run.executed end1 (the command exited with 0)
      verification.started end1
    > verify end1 +-
      gate.completed end1 g0 +
      gate.completed end1 g1 -
      verification.completed end1 partial
      run.completed end1 success
      workitem.completed end1 partial
    = active execution, top done, left done, right done, end done, spent 80 ms
    = wants begin publish
    > publishing
      goal.updated publishing
    = active publish, top done, left done, right done, end done, spent 80 ms
    = wants publish
    > publish left1=++ files=2
      gate.completed left1 g0 +
      gate.completed left1 g1 +
      verification.completed left1 verified, again
      artifact.created out/1
      artifact.created out/2
      goal.completed (4 items done, 2 files delivered)
    = completed publish, top done, left done, right done, end done, spent 80 ms
    = wants nothing
    ");
}

#[test]
fn a_folder_that_is_taken_is_waited_for() {
    assert_snapshot!(check("
        item a
        submit
        plan
        wait
        wait
        show
        start
        show
    "), @"
    > submit
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > wait
      goal.updated waiting
    > wait
    = queued planning, a ready, spent 0 ms
    = wants prepare
    > start
      goal.started
    = active execution, a ready, spent 0 ms
    = wants start a
    ");
}

#[test]
fn intake_may_refuse() {
    assert_snapshot!(check("
        item a
        submit
        refuse
        show
        plan
        refuse
    "), @"
    > submit
      goal.created
    > refuse
      goal.failed refused (the folder is not there)
    = failed intake, spent 0 ms
    = wants nothing
    > plan
      refused: not now: the goal is not queued
    > refuse
      refused: not now: the goal is not queued
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn what_comes_twice_or_too_early_changes_nothing() {
    assert_snapshot!(check("
        item a gates=1
        item b needs=a
        plan
        submit
        submit
        start
        publishing
        plan
        plan
        run a
        start
        start
        run b
        publishing
        publish
        run a
        run a
        verify a1 +
        exec a1 ok
        exec a1 ok
        verify a1 +
        verify a1 +
        exec a1 ok
        run a
        run b
        exec b1 ok
        publishing
        publishing
        publish
        publish
        run b
        cancel
    "), @"
    > plan
      refused: goal not found
    > submit
      goal.created
    > submit
      refused: the goal exists already
    > start
      refused: not now: the goal is not planned
    > publishing
      refused: not now: not every item is done
    > plan
      workitem.created a ready
      workitem.created b queued
      goal.updated planned 2 item(s)
    > plan
      refused: not now: the goal is planned already
    > run a
      refused: not now: the goal starts nothing
    > start
      goal.started
    > start
      refused: not now: the goal is not queued
    > run b
      refused: not now: the item is not ready
    > publishing
      refused: not now: not every item is done
    > publish
      refused: not now: not every item is done
    > run a
      workitem.started a1
      run.started a1
    > run a
      refused: not now: the item is not ready
    > verify a1 +
      refused: not now: the run is not being verified
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > exec a1 ok
      refused: not now: the run is not executing
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.updated b ready
    > verify a1 +
      refused: the run is not held by this incarnation any more
    > exec a1 ok
      refused: the run is not held by this incarnation any more
    > run a
      refused: not now: the item is not ready
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
    > publishing
      goal.updated publishing
    > publishing
      refused: not now: delivery has begun
    > publish
      goal.completed (2 items done, 0 files delivered)
    > publish
      refused: not now: not every item is done
    > run b
      refused: not now: the goal starts nothing
    > cancel
      refused: Cannot cancel a completed goal
    ");
}

#[test]
fn a_failed_optional_gate_makes_the_verdict_partial() {
    assert_snapshot!(check("
        item a gates=1 optional=1
        item b optional=1
        ready
        run a
        run b
        exec a1 ok
        verify a1 +-
        exec b1 ok
        verify b1 -
        publishing
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +-
      gate.completed a1 g0 +
      gate.completed a1 g1 -
      verification.completed a1 partial
      run.completed a1 success
      workitem.completed a1 partial
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 -
      gate.completed b1 g0 -
      verification.completed b1 unverified
      run.completed b1 success
      workitem.completed b1 unverified
    > publishing
      goal.updated publishing
    > publish
      goal.completed (2 items done, 0 files delivered)
    ");
}

#[test]
fn a_used_up_time_budget_asks_a_human() {
    assert_snapshot!(check("
        item a idempotent gates=1
        item b needs=a
        ready minutes=1
        run a
        at 60100
        show
        exec a1 budget
        show
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    = active execution, a in_progress, b queued, spent 0 ms and since 40, 0 ms left
    = wants execute a1, tick
    = wakes at 42040
    > exec a1 budget
      run.executed a1 (the goal's budget is used up)
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a time budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    = blocked execution, a blocked, b queued, spent 60070 ms, 0 ms left
    = wants nothing
    ? ?50: the time budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the goal's budget is used up
      item `a` was stopped at the limit; the goal's steps have run for its 1 minute(s)
      raise, finish, cancel
    "#);
}

#[test]
fn nothing_starts_once_the_budget_is_used_up() {
    assert_snapshot!(check("
        item a idempotent
        item b idempotent
        item c idempotent
        ready minutes=1
        run a
        run b
        at 60100
        exec a1 budget
        show
        run c
        exec b1 ok
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 budget
      run.executed a1 (the goal's budget is used up)
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a time budget
      escalation.created a1 ?60 budget
      workitem.blocked a ?60
    = active execution, a blocked, b in_progress, c ready, spent 0 ms and since 40, 0 ms left
    = wants execute b1
    > run c
      refused: not now: the goal starts nothing
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
      goal.blocked ?60
    = blocked execution, a blocked, b done, c ready, spent 60090 ms, 0 ms left
    = wants nothing
    ");
}

#[test]
fn nothing_is_delivered_before_delivery_begins() {
    assert_snapshot!(check("
        item a idempotent
        ready
        run a
        exec a1 ok
        publish files=1
        publishing
        publish files=1
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    > publish files=1
      refused: not now: delivery has not begun
    > publishing
      goal.updated publishing
    > publish files=1
      artifact.created out/1
      goal.completed (1 item done, 1 file delivered)
    ");
}

#[test]
fn a_retry_does_not_start_before_its_time() {
    assert_snapshot!(check("
        item a idempotent retries=1
        ready
        run a
        exec a1 exit 3
        run a
        show
        at 5000
        run a
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 exit 3
      run.executed a1 (the command exited with 3)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: the command exited with 3
      workitem.updated a retry 1 at 290
    > run a
      refused: not now: the item is not ready
    = active execution, a queued, spent 10 ms
    = wants nothing
    = wakes at 290
    > run a
      workitem.started a2
      run.started a2
    ");
}

#[test]
fn what_needs_a_model_asks_a_human() {
    assert_snapshot!(check("
        submit
        plan
        show
        planrun
        show
        next p nomodel
        show
        packet
    "), @r#"
    > submit
      goal.created
    > plan
      refused: not now: the goal brings no plan
    = queued intake, spent 0 ms
    = wants have it planned
    > planrun
      run.started p
    = queued planning, spent 0 ms and since 30
    = wants compose p
    > next p nomodel
      run.completed p failure NEEDS_HUMAN
      escalation.created p ?40 credential
      goal.blocked ?40
    = blocked planning, spent 10 ms
    = wants nothing
    ? ?40: a model is needed
      goal "a goal"
      attempt 1: none is found; start one
      no model was called; none is found; start one
      retry, cancel
    "#);
    assert_snapshot!(check("
        item a
        item b agent
        item c needs=b
        ready
        run b
        next b1 nomodel
        show
        run a
        exec a1 ok
        show
        packet
    "), @r#"
    > run b
      workitem.started b1
      run.started b1
    > next b1 nomodel
      run.completed b1 failure NEEDS_HUMAN
      escalation.created b1 ?50 credential
      workitem.blocked b ?50
    = active execution, a ready, b blocked, c queued, spent 10 ms
    = wants start a
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
      goal.blocked ?50
    = blocked execution, a done, b blocked, c queued, spent 20 ms
    = wants nothing
    ? ?50: a model is needed
      item `b` (b) of goal "a goal"
      attempt 1: none is found; start one
      no model was called; none is found; start one
      retry, cancel
    "#);
}

#[test]
fn a_gate_that_no_longer_holds_stops_the_delivery() {
    assert_snapshot!(check("
        item a gates=2
        item b gates=1
        ready
        run a
        exec a1 ok
        verify a1 ++
        run b
        exec b1 ok
        verify b1 +
        publishing
        publish b1=+ a1=+- files=1
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 ++
      gate.completed a1 g0 +
      gate.completed a1 g1 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
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
    > publish b1=+ a1=+- files=1
      gate.completed b1 g0 +
      verification.completed b1 verified, again
      gate.completed a1 g0 +
      gate.completed a1 g1 -
      verification.completed a1 failed, again
      artifact.created out/1 partial
      goal.failed gate_no_longer_holds (item `a` no longer holds: gate "g1": it is not there)
    = failed publish, a done, b done, spent 40 ms
    = wants nothing
    "#);
}

/// 100 to 400 and 600 to 700: parallel runs count once.
#[test]
fn running_time_counts_once_for_runs_side_by_side() {
    assert_snapshot!(check("
        item a
        item b
        item c needs=a,b
        ready minutes=1
        at 90
        run a
        at 190
        run b
        at 290
        exec a1 ok
        show
        at 390
        exec b1 ok
        show
        at 590
        run c
        at 690
        exec c1 ok
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    = active execution, a done, b in_progress, c queued, spent 0 ms and since 100, 59800 ms left
    = wants execute b1
    = wakes at 42100
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
      workitem.updated c ready
    = active execution, a done, b done, c ready, spent 300 ms, 59700 ms left
    = wants start c
    > run c
      workitem.started c1
      run.started c1
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
    = active execution, a done, b done, c done, spent 400 ms, 59600 ms left
    = wants begin publish
    ");
}
