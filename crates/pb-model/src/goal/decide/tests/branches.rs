//! Branches: one that failed, stopped at a cap or waits for a person holds up no other.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn what_needs_a_failed_item_never_starts_and_the_rest_does() {
    assert_snapshot!(check("
        item a retries=0
        item b needs=a
        item c needs=b
        item d
        item e needs=d
        ready
        run a
        exec a1 exit 1
        show
        run b
        run d
        exec d1 ok
        run e
        exec e1 ok
        show
        tick
        outgrow
        pause
        publish files=2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    = active execution, a failed, b queued, c queued, d ready, e queued, spent 10 ms
    = wants start d
    > run b
      refused: not now: the item is not ready
    > run d
      workitem.started d1
      run.started d1
    > exec d1 ok
      run.executed d1 (the command exited with 0)
      run.completed d1 success
      workitem.completed d1 unverified
      workitem.updated e ready
    > run e
      workitem.started e1
      run.started e1
    > exec e1 ok
      run.executed e1 (the command exited with 0)
      run.completed e1 success
      workitem.completed e1 unverified
    = active execution, a failed, b queued, c queued, d done, e done, spent 30 ms
    = wants publish
    > tick
      refused: not now: no mark is reached
    > outgrow
      refused: not now: only its end is left, which is short
    > pause
      goal.updated paused by ann
    > publish files=2
      artifact.created out/1 partial
      artifact.created out/2 partial
      goal.failed dead_letter (item `a`: the command exited with 1)
    = failed execution, a failed, b queued, c queued, d done, e done, spent 30 ms
    = wants nothing
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn a_goal_that_fails_names_every_cause_and_keeps_what_it_made() {
    assert_snapshot!(check("
        item a retries=0
        item b retries=0
        item c gates=1
        item d needs=c retries=0
        ready
        run a
        run b
        run c
        exec a1 exit 1
        exec b1 signal
        exec c1 ok
        verify c1 +
        run d
        publish
        exec d1 exit 4
        publish c1=- files=2
        again
        show
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
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    > exec b1 signal
      run.executed b1 (signal 9 ended the command)
      run.completed b1 failure COMMAND_FAILED
      evaluation.decided b1 give_up: no attempt is left: signal 9 ended the command
      workitem.failed b COMMAND_FAILED
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      verification.started c1
    > verify c1 +
      gate.completed c1 g0 +
      verification.completed c1 verified
      run.completed c1 success
      workitem.completed c1 verified
      workitem.updated d ready
    > run d
      workitem.started d1
      run.started d1
    > publish
      refused: not now: not every item is done
    > exec d1 exit 4
      run.executed d1 (the command exited with 4)
      run.completed d1 failure COMMAND_FAILED
      evaluation.decided d1 give_up: no attempt is left: the command exited with 4
      workitem.failed d COMMAND_FAILED
    > publish c1=- files=2
      gate.completed c1 g0 -
      verification.completed c1 failed, again
      artifact.created out/1 partial
      artifact.created out/2 partial
      goal.failed dead_letter (item `a`: the command exited with 1; item `b`: signal 9 ended the command; item `d`: the command exited with 4; item `c` no longer holds: gate "g0": it is not there)
    > again
      goal.updated resumed by ann
      workitem.updated a reopened
      workitem.updated b reopened
      workitem.updated c reopened
      workitem.updated d reopened
    = queued execution, a ready, b ready, c ready, d queued, spent 80 ms
    = wants prepare
    "#);
}

/// Two that no longer hold: the one that needs the other waits for it.
#[test]
fn a_retry_begins_with_what_others_need() {
    assert_snapshot!(check("
        item b gates=1 needs=a
        item a gates=1
        ready
        run a
        exec a1 ok
        verify a1 +
        run b
        exec b1 ok
        verify b1 +
        publishing
        publish b1=- a1=- files=1
        again
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      workitem.updated b ready
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
    > publish b1=- a1=- files=1
      gate.completed b1 g0 -
      verification.completed b1 failed, again
      gate.completed a1 g0 -
      verification.completed a1 failed, again
      artifact.created out/1 partial
      goal.failed gate_no_longer_holds (item `b` no longer holds: gate "g0": it is not there; item `a` no longer holds: gate "g0": it is not there)
    > again
      goal.updated resumed by ann
      workitem.updated a reopened
      workitem.updated b reopened
    = queued publish, b queued, a ready, spent 40 ms
    = wants prepare
    "#);
}

#[test]
fn a_question_is_answered_before_a_goal_with_a_failed_branch_fails() {
    assert_snapshot!(check("
        item a retries=0
        item b unsafe
        item c needs=b
        item d needs=a
        ready
        run a
        run b
        exec a1 exit 1
        exec b1 timeout
        show
        say 70 skip
        start
        run c
        exec c1 ok
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    > exec b1 timeout
      run.executed b1 (the command ran into its time limit)
      run.completed b1 timeout UNKNOWN_OUTCOME
      escalation.created b1 ?70 risk
      workitem.blocked b ?70
      goal.blocked ?70
    = blocked execution, a failed, b blocked, c queued, d queued, spent 30 ms
    = wants nothing
    > say 70 skip
      escalation.resolved b ?70 skip by bob
      workitem.updated b skipped by bob
      workitem.updated c ready
      goal.updated resumed by bob
    > start
      goal.started
    > run c
      workitem.started c1
      run.started c1
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
    > publish
      goal.failed dead_letter (item `a`: the command exited with 1)
    ");
}

#[test]
fn what_is_done_is_delivered_when_a_person_says_so_also_beside_a_failed_branch() {
    assert_snapshot!(check("
        item a retries=0
        item b agent
        item c
        item d needs=a
        ready tokens=50
        run a
        run b
        run c
        exec a1 exit 1
        exec c1 ok
        next b1 tokens=100
        say 90 finish
        show
        start
        publishing
        publish files=1
        show
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
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
    > next b1 tokens=100
      run.completed b1 timeout BUDGET_EXHAUSTED
      budget.exceeded b token budget
      escalation.created b1 ?90 budget
      workitem.blocked b ?90
      goal.blocked ?90
    > say 90 finish
      escalation.resolved b ?90 finish by bob
      workitem.updated a skipped by bob
      workitem.updated b skipped by bob
      workitem.updated d skipped by bob
      goal.updated resumed by bob
    = queued execution, a skipped, b skipped, c done, d skipped, spent 50 ms
    = wants prepare
    > start
      goal.started
    > publishing
      goal.updated publishing
    > publish files=1
      artifact.created out/1
      goal.completed (1 item done, 3 left out, 1 file delivered)
    = completed publish, a skipped, b skipped, c done, d skipped, spent 50 ms
    = wants nothing
    ");
}

/// Commands need no tokens; another agent would stop at the same cap.
#[test]
fn a_cap_on_tokens_holds_back_agents_and_no_commands() {
    assert_snapshot!(check("
        item a agent
        item b agent
        item c
        item d needs=b
        ready tokens=50
        run a
        next a1 tokens=100
        show
        run b
        run c
        exec c1 ok
        show
        say 50 raise
        start
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
    = active execution, a blocked, b ready, c ready, d queued, spent 10 ms
    = wants start c
    > run b
      refused: not now: a cap of the goal's models is used up
    > run c
      workitem.started c1
      run.started c1
    > exec c1 ok
      run.executed c1 (the command exited with 0)
      run.completed c1 success
      workitem.completed c1 unverified
      goal.blocked ?50
    = blocked execution, a blocked, b ready, c done, d queued, spent 20 ms
    = wants nothing
    > say 50 raise
      escalation.resolved a ?50 raise by bob Tokens(100)
      workitem.updated a reopened
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a ready, b ready, c done, d queued, spent 20 ms
    = wants start a, start b
    ");
}

#[test]
fn an_item_that_used_up_its_own_share_holds_back_no_other() {
    assert_snapshot!(check("
        item a agent percent=10
        item b agent
        ready tokens=500
        run a
        next a1 tokens=100
        show
        run b
        next b1 tokens=100
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a item's share of the budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
    = active execution, a blocked, b ready, spent 10 ms
    = wants start b
    > run b
      workitem.started b1
      run.started b1
    > next b1 tokens=100
      model.requested b1 #1 100 token(s) 0 µUSD
    = active execution, a blocked, b in_progress, spent 10 ms and since 60
    = wants think b1#1
    ");
}

#[test]
fn a_deadline_that_passed_asks_nobody_about_a_goal_that_can_only_fail() {
    assert_snapshot!(check("
        item a retries=0
        item b needs=a
        ready deadline=1000
        run a
        at 1500
        exec a1 exit 1
        show
        tick
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 exit 1
      run.executed a1 (the command exited with 1)
      run.completed a1 failure COMMAND_FAILED
      evaluation.decided a1 give_up: no attempt is left: the command exited with 1
      workitem.failed a COMMAND_FAILED
      budget.warning 90 % of the time until the deadline
    = active execution, a failed, b queued, spent 1470 ms
    = wants publish
    > tick
      refused: not now: no mark is reached
    > publish
      goal.failed dead_letter (item `a`: the command exited with 1)
    ");
}
