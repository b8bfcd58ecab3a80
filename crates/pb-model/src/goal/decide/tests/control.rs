//! A person has a goal stand still, go on, tried again, come first.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn a_paused_goal_ends_what_runs_and_starts_nothing() {
    assert_snapshot!(check("
        item a gates=1
        item b needs=a
        ready
        run a
        pause
        pause
        show
        exec a1 ok
        verify a1 +
        show
        run b
        resume
        show
        resume
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > pause
      goal.updated paused by ann
    > pause
    = active execution, a in_progress, b queued, spent 0 ms and since 40
    = wants execute a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.updated b ready
    = active execution, a done, b ready, spent 40 ms
    = wants nothing
    > run b
      refused: not now: the goal starts nothing
    > resume
      goal.updated resumed by ann
    = active execution, a done, b ready, spent 40 ms
    = wants start b
    > resume
    ");
}

#[test]
fn a_paused_conversation_ends_its_call_and_does_not_go_on() {
    assert_snapshot!(check("
        item a agent
        ready
        run a
        next a1 tokens=5
        pause
        show
        answer a1 read used=5
        show
        act a1 + tokens=5
        show
        next a1 tokens=5
        at 60000
        resume
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=5
      model.requested a1 #1 5 token(s) 0 µUSD
    > pause
      goal.updated paused by ann
    = active execution, a in_progress, spent 0 ms and since 40
    = wants think a1#1
    > answer a1 read used=5
      model.answered a1 #1 5 token(s) read#2
    = active execution, a in_progress, spent 0 ms and since 40
    = wants act a1#2
    > act a1 + tokens=5
      tool.completed a1 read#2 Ok
    = active execution, a in_progress, spent 40 ms
    = wants nothing
    > next a1 tokens=5
      refused: not now: the goal is paused
    > resume
      goal.updated resumed by ann
    = active execution, a in_progress, spent 40 ms and since 60010
    = wants compose a1
    ");
}

#[test]
fn a_goal_is_paused_before_it_starts_and_cancelled_in_a_pause() {
    assert_snapshot!(check("
        item a
        submit
        plan
        wait
        pause
        show
        resume
        show
        pause
        cancel
        resume
        pause
    "), @"
    > submit
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > wait
      goal.updated waiting
    > pause
      goal.updated paused by ann
    = queued planning, a ready, spent 0 ms
    = wants nothing
    > resume
      goal.updated resumed by ann
    = queued planning, a ready, spent 0 ms
    = wants prepare
    > pause
      goal.updated paused by ann
    > cancel
      goal.cancelled
    > resume
      refused: a goal that is cancelled cannot be resumed
    > pause
      refused: a goal that is cancelled cannot be paused
    ");
}

#[test]
fn a_goal_that_failed_is_tried_again() {
    assert_snapshot!(check("
        item a
        item b retries=0
        item c needs=b
        ready
        again
        run a
        exec a1 ok
        run b
        exec b1 exit 1
        show
        publish
        show
        again
        show
        start
        run b
        exec b2 ok
        show
        prioritize 101
        prioritize 90
    "), @"
    > again
      refused: a goal that is active cannot be retried
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    > run b
      workitem.started b1
      run.started b1
    > exec b1 exit 1
      run.executed b1 (the command exited with 1)
      run.completed b1 failure COMMAND_FAILED
      evaluation.decided b1 give_up: no attempt is left: the command exited with 1
      workitem.failed b COMMAND_FAILED
    = active execution, a done, b failed, c queued, spent 20 ms
    = wants publish
    > publish
      goal.failed dead_letter (item `b`: the command exited with 1)
    = failed execution, a done, b failed, c queued, spent 20 ms
    = wants nothing
    > again
      goal.updated resumed by ann
      workitem.updated b reopened
    = queued execution, a done, b ready, c queued, spent 20 ms
    = wants prepare
    > start
      goal.started
    > run b
      workitem.started b2
      run.started b2
    > exec b2 ok
      run.executed b2 (the command exited with 0)
      run.completed b2 success
      workitem.completed b2 unverified
      workitem.updated c ready
    = active execution, a done, b done, c ready, spent 30 ms
    = wants start c
    > prioritize 101
      refused: a priority is 0 to 100
    > prioritize 90
      goal.updated priority 90
    ");
}

#[test]
fn an_answer_that_cancels_a_paused_goal_is_the_end_of_it() {
    assert_snapshot!(check("
        item a unsafe
        item b
        ready
        run a
        run b
        exec a1 timeout
        pause
        exec b1 ok
        resume cancel
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 timeout
      run.executed a1 (the command ran into its time limit)
      run.completed a1 timeout UNKNOWN_OUTCOME
      escalation.created a1 ?60 risk
      workitem.blocked a ?60
    > pause
      goal.updated paused by ann
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
      goal.blocked ?60
    > resume cancel
      escalation.resolved a ?60 cancel by ann
      goal.cancelled
    = cancelled execution, a blocked, b done, spent 40 ms
    = wants nothing
    ");
}
