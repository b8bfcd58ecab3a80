//! Attempts that fail: tried again, given up, or looked into.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn an_idempotent_item_is_tried_again_when_a_gate_fails() {
    assert_snapshot!(check("
        item a idempotent gates=2
        ready
        run a
        exec a1 ok
        verify a1 +-
        show
        at 2000
        show
        run a
        exec a2 ok
        verify a2 ++
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +-
      gate.completed a1 g0 +
      gate.completed a1 g1 -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 retry: attempt 1 of 4: gate "g1": it is not there
      workitem.updated a retry 1 at 300
    = active execution, a queued, spent 20 ms
    = wants nothing
    = wakes at 300
    = active execution, a queued, spent 20 ms
    = wants start a
    = wakes at 300
    > run a
      workitem.started a2
      run.started a2
    > exec a2 ok
      run.executed a2 (the command exited with 0)
      verification.started a2
    > verify a2 ++
      gate.completed a2 g0 +
      gate.completed a2 g1 +
      verification.completed a2 verified
      run.completed a2 success
      workitem.completed a2 verified
    "#);
}

#[test]
fn a_failed_item_ends_the_goal_when_nothing_else_can_go_on() {
    assert_snapshot!(check("
        item a idempotent retries=1
        item b idempotent gates=1
        item c
        item d needs=a
        ready
        run a
        run b
        exec a1 exit 2
        at 5000
        run a
        exec a2 exit 3
        show
        run c
        exec b1 ok
        verify b1 +
        run d
        exec c1 ok
        show
        publish
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 exit 2
      run.executed a1 (the command exited with 2)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: the command exited with 2
      workitem.updated a retry 1 at 300
    > run a
      workitem.started a2
      run.started a2
    > exec a2 exit 3
      run.executed a2 (the command exited with 3)
      run.completed a2 failure COMMAND_FAILED
      evaluation.decided a2 give_up: no attempt is left: the command exited with 3
      workitem.failed a COMMAND_FAILED
    = active execution, a failed, b in_progress, c ready, d queued, spent 0 ms and since 40
    = wants execute b1, start c
    > run c
      workitem.started c1
      run.started c1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
    > run d
      refused: not now: the item is not ready
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
    = active execution, a failed, b done, c done, d queued, spent 5030 ms
    = wants publish
    > publish
      goal.failed dead_letter (item `a`: the command exited with 3)
    = failed execution, a failed, b done, c done, d queued, spent 5030 ms
    = wants nothing
    ");
}

/// The goal is lost already, but its other branches are worth their work.
#[test]
fn a_retry_is_waited_for_also_when_another_item_failed() {
    assert_snapshot!(check("
        item a retries=0
        item b retries=5
        item c
        ready
        run a
        run b
        run c
        exec b1 exit 1
        exec a1 signal
        at 90000
        show
        exec c1 ok
        run b
        exec b2 ok
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > run c
      workitem.started c1
      run.started c1
    > exec b1 exit 1
      run.executed b1 (the command exited with 1)
      run.completed b1 failure COMMAND_FAILED
      evaluation.decided b1 retry: attempt 1 of 6: the command exited with 1
      workitem.updated b retry 1 at 310
    > exec a1 signal
      run.executed a1 (signal 9 ended the command)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: signal 9 ended the command
      workitem.failed a COMMAND_FAILED
    = active execution, a failed, b queued, c in_progress, spent 0 ms and since 40
    = wants execute c1, start b
    = wakes at 310
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
    > run b
      workitem.started b2
      run.started b2
    > exec b2 ok
      run.executed b2 (the command exited with 0)
      run.completed b2 success
      workitem.completed b2 unverified
    > publish
      goal.failed dead_letter (item `a`: signal 9 ended the command)
    ");
}

#[test]
fn an_unsafe_item_is_not_tried_again_when_a_gate_fails() {
    assert_snapshot!(check("
        item a unsafe gates=1 retries=3
        ready
        run a
        exec a1 ok
        verify a1 -
        publish
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 give_up: no attempt is left: gate "g0": it is not there
      workitem.failed a GATE_FAILED
    > publish
      goal.failed dead_letter (item `a`: gate "g0": it is not there)
    "#);
}

#[test]
fn an_unsafe_command_that_said_it_failed_is_tried_again_only_if_asked() {
    assert_snapshot!(check("
        item a unsafe retries=1
        ready
        run a
        exec a1 exit 1
        at 5000
        run a
        exec a2 exit 1
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: the command exited with 1
      workitem.updated a retry 1 at 290
    > run a
      workitem.started a2
      run.started a2
    > exec a2 exit 1
      run.executed a2 (the command exited with 1)
      run.completed a2 failure COMMAND_FAILED
      evaluation.decided a2 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    > publish
      goal.failed dead_letter (item `a`: the command exited with 1)
    ");
}

#[test]
fn a_command_that_never_started_is_not_tried_again() {
    assert_snapshot!(check("
        item a idempotent
        ready
        run a
        exec a1 unstarted
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 unstarted
      run.executed a1 (the command did not start: no such program)
      run.completed a1 failure NOT_STARTED
      evaluation.decided a1 give_up: no attempt is left: the command did not start: no such program
      workitem.failed a NOT_STARTED
    > publish
      goal.failed dead_letter (item `a`: the command did not start: no such program)
    ");
}

#[test]
fn a_timeout_of_an_idempotent_item_is_retried() {
    assert_snapshot!(check("
        item a idempotent gates=1
        ready
        run a
        exec a1 timeout
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 timeout
      run.executed a1 (the command ran into its time limit)
      run.completed a1 timeout TIMEOUT
      evaluation.decided a1 retry: attempt 1 of 4: the command ran into its time limit
      workitem.updated a retry 1 at 290
    ");
}

#[test]
fn a_timeout_of_an_unsafe_item_is_looked_into() {
    assert_snapshot!(check("
        item a unsafe gates=1
        item b unsafe gates=1
        item c unsafe
        ready
        run a
        run b
        run c
        exec a1 timeout
        verify a1 -
        exec b1 timeout
        verify b1 +
        exec c1 timeout
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > run c
      workitem.started c1
      run.started c1
    > exec a1 timeout
      run.executed a1 (the command ran into its time limit)
      verification.started a1 to find out
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 timeout UNKNOWN_OUTCOME
      escalation.created a1 ?80 risk
      workitem.blocked a ?80
    > exec b1 timeout
      run.executed b1 (the command ran into its time limit)
      verification.started b1 to find out
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
    > exec c1 timeout
      run.executed c1 (the command ran into its time limit)
      run.completed c1 timeout UNKNOWN_OUTCOME
      escalation.created c1 ?b0 risk
      workitem.blocked c ?b0
      goal.blocked ?80 ?b0
    ? ?80: item `a` may or may not have done its work
      item `a` (a) of goal "a goal"
      attempt 1: the command ran into its time limit
      its gates were tried and do not pass; the command ran into its time limit, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    ? ?b0: item `c` may or may not have done its work
      item `c` (c) of goal "a goal"
      attempt 1: the command ran into its time limit
      it has no gate that could tell; the command ran into its time limit, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    "#);
}
