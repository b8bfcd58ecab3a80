//! A later incarnation takes over what an earlier one was doing (`durability.md` §4).

use insta::assert_snapshot;

use super::script::check;

#[test]
fn nothing_to_take_over() {
    assert_snapshot!(check("
        item a
        submit
        takeover 2
        plan
        start
        takeover 3
        run a @3
        takeover 3
        show
    "), @"
    > submit
      goal.created
    > takeover 2
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > takeover 3
    > run a @3
      workitem.started a1
      run.started a1
    > takeover 3
    = active execution, a in_progress, spent 0 ms and since 60
    = wants execute a1
    ");
}

#[test]
fn work_that_was_done_is_found_done() {
    assert_snapshot!(check("
        item a unsafe gates=2
        item b needs=a
        ready
        run a
        takeover 2
        show
        verify a1 ++ @2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
    = active verification, a verify, b queued, spent 0 ms and since 50
    = wants verify a1
    > verify a1 ++ @2
      gate.completed a1 g0 +
      gate.completed a1 g1 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.updated b ready
    = active execution, a done, b ready, spent 10 ms
    = wants start b
    ");
}

#[test]
fn idempotent_work_that_was_not_done_runs_again() {
    assert_snapshot!(check("
        item a idempotent gates=1
        item b idempotent
        ready
        run a
        run b
        takeover 2
        show
        verify a1 - @2
        show
        exec a1 ok @2
        verify a1 + @2
        exec b1 ok @2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
      run.continued b1 by 2
      run.continued b1 by 2, again
    = active verification, a verify, b in_progress, spent 10 ms and since 60
    = wants verify a1, execute b1
    > verify a1 - @2
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.continued a1 by 2, again
    = active evaluation, a in_progress, b in_progress, spent 10 ms and since 60
    = wants execute a1, execute b1
    > exec a1 ok @2
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 + @2
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    > exec b1 ok @2
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
    = active execution, a done, b done, spent 50 ms
    = wants begin publish
    ");
}

#[test]
fn unsafe_work_of_unknown_outcome_asks_a_human() {
    assert_snapshot!(check("
        item a unsafe gates=1
        item b needs=a
        ready
        run a
        takeover 2
        verify a1 - @2
        show
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
    > verify a1 - @2
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 aborted UNKNOWN_OUTCOME
      escalation.created a1 ?60 risk
      workitem.blocked a ?60
      goal.blocked ?60
    = blocked execution, a blocked, b queued, spent 10 ms
    = wants nothing
    ? ?60: item `a` may or may not have done its work
      item `a` (a) of goal "a goal"
      attempt 1: the outcome of the command is unknown
      its gates were tried and do not pass; the outcome of the command is unknown, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    "#);
}

#[test]
fn each_question_has_its_own_id() {
    assert_snapshot!(check("
        item a unsafe
        item b unsafe
        ready
        run a
        run b
        takeover 2
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.completed a1 aborted UNKNOWN_OUTCOME
      escalation.created a1 ?60 risk
      workitem.blocked a ?60
      run.continued b1 by 2
      run.completed b1 aborted UNKNOWN_OUTCOME
      escalation.created b1 ?61 risk
      workitem.blocked b ?61
      goal.blocked ?60 ?61
    ? ?60: item `a` may or may not have done its work
      item `a` (a) of goal "a goal"
      attempt 1: the outcome of the command is unknown
      it has no gate that could tell; the outcome of the command is unknown, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    ? ?61: item `b` may or may not have done its work
      item `b` (b) of goal "a goal"
      attempt 1: the outcome of the command is unknown
      it has no gate that could tell; the outcome of the command is unknown, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    "#);
}

#[test]
fn gates_cut_off_by_a_crash_run_again() {
    assert_snapshot!(check("
        item a unsafe gates=1
        ready
        run a
        exec a1 ok
        takeover 2
        show
        verify a1 +
        verify a1 + @2
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
    = active verification, a verify, spent 10 ms and since 60
    = wants verify a1
    > verify a1 +
      refused: the run is not held by this incarnation any more
    > verify a1 + @2
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    ");
}

#[test]
fn a_probe_cut_off_by_a_crash_is_still_a_probe() {
    assert_snapshot!(check("
        item a unsafe gates=1
        ready
        run a
        takeover 2
        takeover 3
        show
        verify a1 - @3
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
    = active verification, a verify, spent 0 ms and since 60
    = wants verify a1
    > verify a1 - @3
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 aborted UNKNOWN_OUTCOME
      escalation.created a1 ?70 risk
      workitem.blocked a ?70
      goal.blocked ?70
    ");
}

/// The timeout was recorded; the crash came while the probe ran.
#[test]
fn a_probe_after_a_timeout_remembers_it() {
    assert_snapshot!(check("
        item a unsafe gates=1
        ready
        run a
        exec a1 timeout
        takeover 2
        verify a1 - @2
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 timeout
      run.executed a1 (the command ran into its time limit)
      verification.started a1 to find out
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
    > verify a1 - @2
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 timeout UNKNOWN_OUTCOME
      escalation.created a1 ?70 risk
      workitem.blocked a ?70
      goal.blocked ?70
    ? ?70: item `a` may or may not have done its work
      item `a` (a) of goal "a goal"
      attempt 1: the command ran into its time limit
      its gates were tried and do not pass; the command ran into its time limit, and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    "#);
}

#[test]
fn a_cancellation_outlives_the_crash() {
    assert_snapshot!(check("
        item a unsafe gates=1
        item b gates=1
        ready
        run a
        run b
        exec b1 ok
        cancel
        takeover 2
        show
        exec a1 lost @2
        verify b1 + @2
        show
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
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.continued b1 by 2
    = active verification, a in_progress, b verify, spent 30 ms and since 80
    = wants stop a1, stop b1
    > exec a1 lost @2
      run.executed a1 (the outcome of the command is unknown)
      run.completed a1 aborted CANCELLED
      workitem.failed a CANCELLED
    > verify b1 + @2
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 aborted CANCELLED
      workitem.failed b CANCELLED
      goal.cancelled
    = cancelled execution, a failed, b failed, spent 50 ms
    = wants nothing
    ");
}

#[test]
fn an_earlier_incarnation_says_nothing_any_more() {
    assert_snapshot!(check("
        item a gates=1
        item b gates=1
        ready
        run a
        run b
        exec b1 ok
        takeover 2
        exec a1 ok @1
        verify a1 + @1
        verify b1 + @1
        exec a1 ok @3
        takeover 1
        verify a1 + @2
        verify a1 + @2
        exec a1 ok @2
        show
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
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
      run.continued b1 by 2
    > exec a1 ok @1
      refused: the run is not held by this incarnation any more
    > verify a1 + @1
      refused: the run is not held by this incarnation any more
    > verify b1 + @1
      refused: the run is not held by this incarnation any more
    > exec a1 ok @3
      refused: the run is not held by this incarnation any more
    > takeover 1
    > verify a1 + @2
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    > verify a1 + @2
      refused: the run is not held by this incarnation any more
    > exec a1 ok @2
      refused: the run is not held by this incarnation any more
    = active execution, a done, b verify, spent 20 ms and since 70
    = wants verify b1
    ");
}

#[test]
fn an_outcome_that_the_same_incarnation_lost_is_looked_into_and_is_a_failed_attempt() {
    assert_snapshot!(check("
        item a idempotent gates=1
        item b unsafe gates=1
        ready
        run a
        run b
        exec a1 stopped
        exec b1 lost
        show
        verify a1 -
        verify b1 -
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 stopped
      run.executed a1 (the command was stopped)
      verification.started a1 to find out
    > exec b1 lost
      run.executed b1 (the outcome of the command is unknown)
      verification.started b1 to find out
    = active verification, a verify, b verify, spent 0 ms and since 40
    = wants verify a1, verify b1
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 aborted UNKNOWN_OUTCOME
      evaluation.decided a1 retry: attempt 1 of 4: the command was stopped
      workitem.updated a retry 1 at 320
    > verify b1 -
      gate.completed b1 g0 -
      verification.completed b1 failed
      run.completed b1 aborted UNKNOWN_OUTCOME
      escalation.created b1 ?90 risk
      workitem.blocked b ?90
    = active execution, a queued, b blocked, spent 50 ms
    = wants nothing
    = wakes at 320
    ");
}

/// It may be what brings the scheduler down.
#[test]
fn an_attempt_is_run_again_three_times_and_then_a_human_is_asked() {
    assert_snapshot!(check("
        item a idempotent retries=1
        ready
        run a
        takeover 2
        takeover 3
        takeover 4
        takeover 5
        show
        packet
        resume retry
        start
        run a @5
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.continued a1 by 2, again
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
      run.continued a1 by 3, again
    > takeover 4
      goal.updated taken over by 4
      run.continued a1 by 4
      run.continued a1 by 4, again
    > takeover 5
      goal.updated taken over by 5
      run.continued a1 by 5
      run.completed a1 aborted STOPPED_TOO_OFTEN
      escalation.created a1 ?80 stuck
      workitem.blocked a ?80
      goal.blocked ?80
    = blocked execution, a blocked, spent 0 ms
    = wants nothing
    ? ?80: item `a` does not come to an end
      item `a` (a) of goal "a goal"
      attempt 1: the scheduler stopped 4 times while it ran
      it was begun again each time, and is not begun once more by itself; the scheduler stopped 4 times while it ran
      retry, alternative_approach, skip, cancel
    > resume retry
      escalation.resolved a ?80 retry by ann
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a @5
      workitem.started a2
      run.started a2
    = active execution, a in_progress, spent 0 ms and since 110
    = wants execute a2
    "#);
}

/// 100 to 300, and 1000 to 1200: nobody's time passed in between.
#[test]
fn running_time_stops_at_the_crash() {
    assert_snapshot!(check("
        item a idempotent
        ready minutes=1
        at 90
        run a
        at 990
        takeover 2 alive=300
        show
        at 1190
        exec a1 ok @2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2 alive=300
      goal.updated taken over by 2
      run.continued a1 by 2
      run.continued a1 by 2, again
    = active execution, a in_progress, spent 200 ms and since 1000, 59800 ms left
    = wants execute a1
    = wakes at 42800
    > exec a1 ok @2
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    = active execution, a done, spent 400 ms, 59600 ms left
    = wants begin publish
    ");
}
