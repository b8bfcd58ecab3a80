//! Calls of a model are paid for before they are made, and a cap is a cap.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn a_cap_on_tokens_is_a_cap() {
    assert_snapshot!(check("
        item a agent gates=1
        ready tokens=250
        run a
        next a1 tokens=100
        answer a1 look? used=90
        act a1 + tokens=160
        answer a1 look?
        act a1 + tokens=1
        show
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=90
      model.answered a1 #1 90 token(s) look#2
    > act a1 + tokens=160
      tool.completed a1 look#2 Ok
      model.requested a1 #3 160 token(s) 0 µUSD
    > answer a1 look?
      model.answered a1 #3 160 token(s) assumed look#4
      budget.warning 90 % of the token budget
    > act a1 + tokens=1
      tool.completed a1 look#4 Ok
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?90 budget
      workitem.blocked a ?90
      goal.blocked ?90
    = blocked execution, a blocked, spent 50 ms
    = wants nothing
    ? ?90: the token budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the token budget is used up
      item `a` was stopped at the limit; the next call might break it; 250 token(s) and 0.000000 USD are spent
      raise, finish, cancel
    "#);
}

#[test]
fn a_share_of_a_cap_is_a_cap() {
    assert_snapshot!(check("
        item a agent gates=1 percent=50
        ready usd=0.000100
        run a
        next a1 tokens=1 usd=51
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=1 usd=51
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a item's share of the budget
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    ? ?50: the item's share of the budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the item's share of the budget is used up
      item `a` was stopped at the limit; the next call might break it; 0 token(s) and 0.000000 USD are spent
      raise, finish, cancel
    "#);
}

#[test]
fn a_cap_on_turns_is_a_cap() {
    assert_snapshot!(check("
        item a agent gates=1
        ready turns=1
        run a
        next a1 tokens=1
        answer a1 look? used=1
        act a1 + tokens=1
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=1
      model.requested a1 #1 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #1 1 token(s) look#2
      budget.warning 90 % of the turn budget
    > act a1 + tokens=1
      tool.completed a1 look#2 Ok
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a turn budget
      escalation.created a1 ?70 budget
      workitem.blocked a ?70
      goal.blocked ?70
    ? ?70: the turn budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the turn budget is used up
      item `a` was stopped at the limit; models have answered 1 time(s)
      raise, finish, cancel
    "#);
}

#[test]
fn a_call_that_cost_more_than_was_put_aside_stops_a_goal_with_a_cap() {
    assert_snapshot!(check("
        item a agent gates=1
        ready tokens=1000
        run a
        next a1 tokens=100
        answer a1 look? used=101
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=101
      model.answered a1 #1 101 token(s) overrun look#2
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?60 budget
      workitem.blocked a ?60
      goal.blocked ?60
    ? ?60: the token budget is used up
      item `a` (a) of goal "a goal"
      attempt 1: the token budget is used up
      item `a` was stopped at the limit; a call cost more than was put aside for it; 101 token(s) and 0.000000 USD are spent
      raise, finish, cancel
    "#);
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 look? used=101
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=101
      model.answered a1 #1 101 token(s) overrun look#2
    = active execution, a in_progress, spent 0 ms and since 40
    = wants act a1#2
    ");
}

#[test]
fn a_failed_call_is_made_again_a_few_times_and_is_charged_if_it_may_have_been() {
    assert_snapshot!(check("
        item a agent gates=1 retries=0
        ready
        run a
        next a1 tokens=100
        fail a1 again
        show
        next a1 tokens=100
        fail a1 again charged
        next a1 tokens=100
        fail a1 again
        next a1 tokens=100
        fail a1 again
        next a1 tokens=100
        fail a1 again
        publish
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > fail a1 again
      model.failed a1 #1 (no) 0 token(s) again at 300
    = active execution, a in_progress, spent 0 ms and since 40
    = wants nothing
    = wakes at 300
    > next a1 tokens=100
      model.requested a1 #2 100 token(s) 0 µUSD
    > fail a1 again charged
      model.failed a1 #2 (no) 100 token(s) assumed again at 1762
    > next a1 tokens=100
      model.requested a1 #3 100 token(s) 0 µUSD
    > fail a1 again
      model.failed a1 #3 (no) 0 token(s) again at 2619
    > next a1 tokens=100
      model.requested a1 #4 100 token(s) 0 µUSD
    > fail a1 again
      model.failed a1 #4 (no) 0 token(s) again at 4427
    > next a1 tokens=100
      model.requested a1 #5 100 token(s) 0 µUSD
    > fail a1 again
      model.failed a1 #5 (no) 0 token(s)
      run.executed a1 (no usable answer: 5 calls in a row failed; the last: no)
      run.completed a1 failure AGENT_FAILED
      evaluation.decided a1 give_up: no attempt is left: no usable answer: 5 calls in a row failed; the last: no
      workitem.failed a AGENT_FAILED
    > publish
      goal.failed dead_letter (item `a`: no usable answer: 5 calls in a row failed; the last: no)
    = failed execution, a failed, spent 100 ms
    = wants nothing
    ");
}

#[test]
fn a_model_that_lets_nobody_in_asks_a_human() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        fail a1 human
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > fail a1 human
      model.failed a1 #1 (no) 0 token(s)
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?60 credential
      workitem.blocked a ?60
      goal.blocked ?60
    ? ?60: the model m does not let us in
      item `a` (a) of goal "a goal"
      attempt 1: no
      the call was refused; nothing was charged; no
      retry, cancel
    "#);
}

#[test]
fn cancelling_charges_the_call_in_flight() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        cancel
        show
        fail a1 stopped
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > cancel
      goal.updated cancelling
    = active execution, a in_progress, spent 0 ms and since 40
    = wants stop a1
    > fail a1 stopped
      model.failed a1 #1 (it was stopped while it answered) 100 token(s) assumed
      run.completed a1 aborted CANCELLED
      workitem.failed a CANCELLED
      goal.cancelled
    = cancelled execution, a failed, spent 30 ms
    = wants nothing
    ");
    assert_snapshot!(check("
        item a
        text
        submit
        planrun
        next p tokens=100
        cancel
        show
    "), @"
    > submit
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > cancel
      model.failed p #1 (the goal was cancelled while it answered) 100 token(s) assumed
      run.completed p aborted CANCELLED
      goal.cancelled
    = cancelled planning, spent 20 ms
    = wants nothing
    ");
}

#[test]
fn people_are_warned_of_each_cap_at_70_and_90_percent_once_each() {
    assert_snapshot!(check("
        item a agent
        ready tokens=100 turns=2
        run a
        next a1 tokens=70
        answer a1 read? used=69
        act a1 + tokens=10
        answer a1 read? used=2
        act a1 +
        next a1 tokens=10
        resume raise to=10
        start
        run a
        next a2 tokens=25
        answer a2 read? used=23
        act a2 + tokens=5
        answer a2 read? used=1
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=70
      model.requested a1 #1 70 token(s) 0 µUSD
    > answer a1 read? used=69
      model.answered a1 #1 69 token(s) read#2
    > act a1 + tokens=10
      tool.completed a1 read#2 Ok
      model.requested a1 #3 10 token(s) 0 µUSD
    > answer a1 read? used=2
      model.answered a1 #3 2 token(s) read#4
      budget.warning 70 % of the token budget
      budget.warning 90 % of the turn budget
    > act a1 +
      tool.completed a1 read#4 Ok
    > next a1 tokens=10
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a turn budget
      escalation.created a1 ?a0 budget
      workitem.blocked a ?a0
      goal.blocked ?a0
    > resume raise to=10
      escalation.resolved a ?a0 raise by ann Turns(10)
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=25
      model.requested a2 #1 25 token(s) 0 µUSD
    > answer a2 read? used=23
      model.answered a2 #1 23 token(s) read#2
      budget.warning 90 % of the token budget
    > act a2 + tokens=5
      tool.completed a2 read#2 Ok
      model.requested a2 #3 5 token(s) 0 µUSD
    > answer a2 read? used=1
      model.answered a2 #3 1 token(s) read#4
    ");
}
