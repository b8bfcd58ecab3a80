//! A person stops a goal, at every stage of its life.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn a_cancellation_before_anything_runs_ends_the_goal_at_once() {
    assert_snapshot!(check("
        item a
        submit
        cancel
        cancel
        show
    "), @"
    > submit
      goal.created
    > cancel
      goal.cancelled
    > cancel
      refused: Goal already cancelled
    = cancelled intake, spent 0 ms
    = wants nothing
    ");
    assert_snapshot!(check("
        item a
        ready
        cancel
        run a
    "), @"
    > cancel
      goal.updated cancelling
      goal.cancelled
    > run a
      refused: not now: the goal starts nothing
    ");
}

#[test]
fn a_cancellation_waits_for_what_runs() {
    assert_snapshot!(check("
        item a gates=1
        item b gates=1
        item c
        ready
        run a
        run b
        exec b1 ok
        cancel
        show
        cancel
        run c
        exec a1 stopped
        show
        verify b1 +
        show
        cancel
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > cancel
      goal.updated cancelling
    = active verification, a in_progress, b verify, c ready, spent 0 ms and since 40
    = wants stop a1, stop b1
    > cancel
    > run c
      refused: not now: the goal starts nothing
    > exec a1 stopped
      run.executed a1 (the command was stopped)
      run.completed a1 aborted CANCELLED
      workitem.failed a CANCELLED
    = active execution, a failed, b verify, c ready, spent 0 ms and since 40
    = wants stop b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 aborted CANCELLED
      workitem.failed b CANCELLED
      goal.cancelled
    = cancelled execution, a failed, b failed, c ready, spent 70 ms
    = wants nothing
    > cancel
      refused: Goal already cancelled
    ");
}

#[test]
fn a_blocked_or_publishing_goal_can_be_cancelled() {
    assert_snapshot!(check("
        item a agent
        ready
        run a
        next a1 nomodel
        cancel
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 nomodel
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?50 credential
      workitem.blocked a ?50
      goal.blocked ?50
    > cancel
      goal.cancelled
    = cancelled execution, a blocked, spent 10 ms
    = wants nothing
    ");
    assert_snapshot!(check("
        item a
        ready
        run a
        exec a1 ok
        publishing
        cancel
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    > publishing
      goal.updated publishing
    > cancel
      goal.updated cancelling
      goal.cancelled
    > publish
      refused: not now: not every item is done
    ");
}

#[test]
fn an_ended_goal_cannot_be_cancelled() {
    assert_snapshot!(check("
        item a
        ready
        run a
        exec a1 ok
        publishing
        publish
        cancel
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    > publishing
      goal.updated publishing
    > publish
      goal.completed (1 item done, 0 files delivered)
    > cancel
      refused: Cannot cancel a completed goal
    ");
    assert_snapshot!(check("
        item a retries=0
        ready
        run a
        exec a1 exit 1
        publish
        cancel
        run a
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    > publish
      goal.failed dead_letter (item `a`: the command exited with 1)
    > cancel
      refused: Cannot cancel a failed goal
    > run a
      refused: not now: the goal starts nothing
    ");
}
