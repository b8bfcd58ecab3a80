//! Conversations after a crash: what was in flight is charged, repeated or found out.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn after_a_crash_the_call_in_flight_is_charged_and_the_conversation_goes_on() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        takeover 2
        show
        next a1 tokens=100 @2
        takeover 3
        show
        next a1 tokens=100 @3
        answer a1 look? look? used=4 @3
        takeover 4
        show
        act a1 ++ @3
        act a1 ++ @4
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
    = active execution, a in_progress, spent 0 ms and since 50
    = wants compose a1
    > next a1 tokens=100 @2
      model.requested a1 #1 100 token(s) 0 µUSD
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
      model.failed a1 #1 (the scheduler stopped while it answered) 100 token(s) assumed
    = active execution, a in_progress, spent 10 ms and since 70
    = wants compose a1
    > next a1 tokens=100 @3
      model.requested a1 #2 100 token(s) 0 µUSD
    > answer a1 look? look? used=4 @3
      model.answered a1 #2 4 token(s) look#3 look#4
    > takeover 4
      goal.updated taken over by 4
      run.continued a1 by 4
    = active execution, a in_progress, spent 30 ms and since 100
    = wants act a1#3
    > act a1 ++ @3
      refused: the run is not held by this incarnation any more
    > act a1 ++ @4
      tool.completed a1 look#3 Ok
      tool.completed a1 look#4 Ok
    ");
}

#[test]
fn after_a_crash_what_may_be_repeated_is_and_what_may_not_is_found_out() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 look? write used=4
        takeover 2
        show
        act a1 ++ @2
        next a1 tokens=100 @2
        answer a1 run! used=4 @2
        takeover 3
        show
        verify a1 - @3
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? write used=4
      model.answered a1 #1 4 token(s) look#2 write#3
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.continued a1 by 2, again
    = active execution, a in_progress, spent 20 ms and since 70
    = wants act a1#2
    > act a1 ++ @2
      tool.completed a1 look#2 Ok
      tool.completed a1 write#3 Ok
    > next a1 tokens=100 @2
      model.requested a1 #4 100 token(s) 0 µUSD
    > answer a1 run! used=4 @2
      model.answered a1 #4 4 token(s) run#5
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
      verification.started a1 to find out
    = active verification, a verify, spent 50 ms and since 110
    = wants verify a1
    > verify a1 - @3
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 aborted UNKNOWN_OUTCOME
      escalation.created a1 ?c0 risk
      workitem.blocked a ?c0
      goal.blocked ?c0
    ? ?c0: item `a` may or may not have done its work
      item `a` (a) of goal "a goal"
      attempt 1: the outcome of the command is unknown
      its gates were tried and do not pass; the outcome of the command is unknown (run: this), and its effect is unsafe: running it again might do it twice
      retry, skip, cancel
    "#);
}

#[test]
fn a_call_of_unknown_outcome_that_did_its_work_is_not_made_again() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 run! used=4
        act a1 ?
        verify a1 +
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 run! used=4
      model.answered a1 #1 4 token(s) run#2
    > act a1 ?
      verification.started a1 to find out
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    = active execution, a done, spent 40 ms
    = wants begin publish
    ");
}

#[test]
fn a_call_that_brings_the_scheduler_down_each_time_is_given_up() {
    assert_snapshot!(check("
        item a agent gates=1 retries=0
        ready
        run a
        next a1 tokens=10
        takeover 2
        next a1 tokens=10 @2
        takeover 3
        next a1 tokens=10 @3
        takeover 4
        next a1 tokens=10 @4
        takeover 5
        next a1 tokens=10 @5
        takeover 6
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=10
      model.requested a1 #1 10 token(s) 0 µUSD
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      model.failed a1 #1 (the scheduler stopped while it answered) 10 token(s) assumed
    > next a1 tokens=10 @2
      model.requested a1 #2 10 token(s) 0 µUSD
    > takeover 3
      goal.updated taken over by 3
      run.continued a1 by 3
      model.failed a1 #2 (the scheduler stopped while it answered) 10 token(s) assumed
    > next a1 tokens=10 @3
      model.requested a1 #3 10 token(s) 0 µUSD
    > takeover 4
      goal.updated taken over by 4
      run.continued a1 by 4
      model.failed a1 #3 (the scheduler stopped while it answered) 10 token(s) assumed
    > next a1 tokens=10 @4
      model.requested a1 #4 10 token(s) 0 µUSD
    > takeover 5
      goal.updated taken over by 5
      run.continued a1 by 5
      model.failed a1 #4 (the scheduler stopped while it answered) 10 token(s) assumed
    > next a1 tokens=10 @5
      model.requested a1 #5 10 token(s) 0 µUSD
    > takeover 6
      goal.updated taken over by 6
      run.continued a1 by 6
      model.failed a1 #5 (the scheduler stopped while it answered) 10 token(s) assumed
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?e0 stuck
      workitem.blocked a ?e0
      goal.blocked ?e0
    = blocked execution, a blocked, spent 50 ms
    = wants nothing
    ");
}
