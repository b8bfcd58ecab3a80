//! What a human answers, and what comes of it.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn an_unsafe_item_of_unknown_outcome_is_run_again_when_a_human_says_so() {
    assert_snapshot!(check("
        item a unsafe gates=1
        item b needs=a
        ready
        run a
        takeover 2
        verify a1 - @2
        resume
        resume raise
        resume retry
        show
        start
        show
    "), @"
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
    > resume
      refused: the goal is blocked; answer with one of: retry (run it again: you looked, and nothing was done or doing it twice is harmless), skip (go on without running it: you looked, and it is done, or not needed), cancel (cancel the goal)
    > resume raise
      refused: `raise` is no answer to what is asked; answer with one of: retry (run it again: you looked, and nothing was done or doing it twice is harmless), skip (go on without running it: you looked, and it is done, or not needed), cancel (cancel the goal)
    > resume retry
      escalation.resolved a ?60 retry by ann
      workitem.updated a reopened
      goal.updated resumed by ann
    = queued execution, a ready, b queued, spent 10 ms
    = wants prepare
    > start
      goal.started
    = active execution, a ready, b queued, spent 10 ms
    = wants start a
    ");
}

#[test]
fn an_item_is_skipped_and_what_needs_it_goes_on() {
    assert_snapshot!(check("
        item a unsafe
        item b needs=a
        ready
        run a
        takeover 2
        say 99 skip
        say 50 skip
        say 50 retry
        start
        show
        run b @2
        exec b1 ok @2
        publishing
        publish files=1
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.completed a1 aborted UNKNOWN_OUTCOME
      escalation.created a1 ?50 risk
      workitem.blocked a ?50
      goal.blocked ?50
    > say 99 skip
      refused: escalation not found
    > say 50 skip
      escalation.resolved a ?50 skip by bob
      workitem.updated a skipped by bob
      workitem.updated b ready
      goal.updated resumed by bob
    > say 50 retry
      refused: answered already: skip, by bob
    > start
      goal.started
    = active execution, a skipped, b ready, spent 0 ms
    = wants start b
    > run b @2
      workitem.started b1
      run.started b1
    > exec b1 ok @2
      run.executed b1 (the command exited with 0)
      run.completed b1 success
      workitem.completed b1 unverified
    > publishing
      goal.updated publishing
    > publish files=1
      artifact.created out/1
      goal.completed (1 item done, 1 left out, 1 file delivered)
    = completed publish, a skipped, b done, spent 10 ms
    = wants nothing
    ");
}

#[test]
fn raising_a_cap_answers_every_branch_that_stopped_at_it() {
    assert_snapshot!(check("
        item a gates=1 agent
        item b gates=1
        submit tokens=100
        plan
        start
        run a
        run b
        next a1 tokens=200
        exec b1 ok
        verify b1 +
        packet
        resume raise to=50
        resume raise to=300
        start
        show
        run a
        next a2 tokens=200
    "), @r#"
    > submit tokens=100
      goal.created
    > plan
      workitem.created a ready
      workitem.created b ready
      goal.updated planned 2 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > next a1 tokens=200
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?60 budget
      workitem.blocked a ?60
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 +
      gate.completed b1 g0 +
      verification.completed b1 verified
      run.completed b1 success
      workitem.completed b1 verified
      goal.blocked ?60
    ? ?60: the token budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the token budget is used up
      item `a` was stopped at the limit; the next call might break it; 0 token(s) and 0.000000 USD are spent
      raise, finish, cancel
    > resume raise to=50
      refused: that does not raise the token budget
    > resume raise to=300
      escalation.resolved a ?60 raise by ann Tokens(300)
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    = active execution, a ready, b done, spent 40 ms
    = wants start a
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=200
      model.requested a2 #1 200 token(s) 0 µUSD
    "#);
}

/// An amount without its unit must never be taken for that of another cap.
#[test]
fn an_amount_raises_one_cap_and_not_several() {
    assert_snapshot!(check("
        item a agent
        item b
        ready tokens=100 minutes=1
        run a
        run b
        next a1 tokens=200
        exec b1 budget
        resume raise to=2000
        resume raise
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > next a1 tokens=200
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?60 budget
      workitem.blocked a ?60
    > exec b1 budget
      run.executed b1 (the goal's budget is used up)
      run.completed b1 timeout BUDGET_EXHAUSTED
      budget.exceeded b time budget
      escalation.created b1 ?70 budget
      workitem.blocked b ?70
      goal.blocked ?60 ?70
    > resume raise to=2000
      refused: several caps are used up, and the amount is of one: answer each with escalation.respond, or leave the amount out
    > resume raise
      escalation.resolved a ?60 raise by ann Tokens(200)
      workitem.updated a reopened
      escalation.resolved b ?70 raise by ann Time(2)
      workitem.updated b reopened
      goal.updated resumed by ann
    ");
    assert_snapshot!(check("
        item a agent percent=10
        ready tokens=100
        run a
        next a1 tokens=20
        resume raise to=2000
        resume raise
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=20
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a item's share of the budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    > resume raise to=2000
      refused: that does not raise the item's share of the budget
    > resume raise
      escalation.resolved a ?50 raise by ann Share
      workitem.updated a reopened
      goal.updated resumed by ann
    ");
}

#[test]
fn what_is_done_is_delivered_and_the_rest_left_out() {
    assert_snapshot!(check("
        item a gates=1
        item b gates=1 agent
        item c needs=b
        ready tokens=100
        run a
        run b
        next b1 tokens=200
        say 60 finish
        exec a1 ok
        verify a1 +
        say 60 finish
        start
        show
        publishing
        publish files=2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > run b
      workitem.started b1
      run.started b1
    > next b1 tokens=200
      run.completed b1 timeout BUDGET_EXHAUSTED
      budget.exceeded b token budget
      escalation.created b1 ?60 budget
      workitem.blocked b ?60
    > say 60 finish
      refused: nothing is done that could be delivered
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
      goal.blocked ?60
    > say 60 finish
      escalation.resolved b ?60 finish by bob
      workitem.updated b skipped by bob
      workitem.updated c skipped by bob
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a done, b skipped, c skipped, spent 50 ms
    = wants begin publish
    > publishing
      goal.updated publishing
    > publish files=2
      artifact.created out/1
      artifact.created out/2
      goal.completed (1 item done, 2 left out, 2 files delivered)
    = completed publish, a done, b skipped, c skipped, spent 50 ms
    = wants nothing
    ");
}

#[test]
fn nothing_done_is_nothing_to_deliver_and_cancel_is_an_answer() {
    assert_snapshot!(check("
        item a agent
        submit tokens=100
        plan
        start
        run a
        next a1 tokens=200
        resume finish
        resume cancel
        resume
    "), @"
    > submit tokens=100
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=200
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    > resume finish
      refused: nothing is done that could be delivered
    > resume cancel
      escalation.resolved a ?50 cancel by ann
      goal.cancelled
    > resume
      refused: a goal that is cancelled cannot be resumed
    ");
}

#[test]
fn a_plan_is_made_again_when_a_human_says_so() {
    assert_snapshot!(check("
        item a
        text
        submit
        planrun
        next p nomodel
        resume retry
        show
    "), @"
    > submit
      goal.created
    > planrun
      run.started p
    > next p nomodel
      run.completed p failure NEEDS_HUMAN
      escalation.created p ?30 credential
      goal.blocked ?30
    > resume retry
      escalation.resolved ?30 retry by ann
      goal.updated resumed by ann
    = queued planning, spent 10 ms
    = wants have it planned
    ");
}
