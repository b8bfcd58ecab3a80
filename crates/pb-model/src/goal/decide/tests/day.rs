//! Budgets beyond the goal's own sum: of the day, of a call, of an item; and the deadline.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn the_day_is_warned_of_where_it_is_crossed_and_stops_at_its_cap() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        day tokens=1000 settled=600 reserved=0
        next a1 tokens=100
        answer a1 look? used=99
        act a1 +
        day tokens=1000 settled=699 reserved=0
        next a1 tokens=100
        answer a1 look? used=1
        act a1 +
        day tokens=1000 settled=700 reserved=250
        next a1 tokens=100
        packet
        say b0 raise
        say b0 retry
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=99
      model.answered a1 #1 99 token(s) look#2
    > act a1 +
      tool.completed a1 look#2 Ok
    > next a1 tokens=100
      model.requested a1 #3 100 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #3 1 token(s) look#4
      budget.warning 70 % of the budget of the day
    > act a1 +
      tool.completed a1 look#4 Ok
    > next a1 tokens=100
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a budget of the day
      escalation.created a1 ?b0 budget
      workitem.blocked a ?b0
      goal.blocked ?b0
    ? ?b0: the budget of the day is used up
      item `a` (a) of goal "a goal"
      attempt 1: the budget of the day is used up
      item `a` was stopped at the limit; the next call might break it; 100 token(s) and 0.000000 USD are spent
      retry, finish, cancel
    > say b0 raise
      refused: `raise` is no answer to "the budget of the day is used up"; answer with one of: retry (go on: another day has begun, or you raised the [budget] in config.toml and restarted), finish (deliver what is done, and leave the rest), cancel (cancel the goal)
    > say b0 retry
      escalation.resolved a ?b0 retry by bob
      workitem.updated a reopened
      goal.updated resumed by bob
    "#);
}

#[test]
fn one_call_has_a_cap_of_its_own_that_can_be_raised() {
    assert_snapshot!(check("
        item a agent gates=1
        submit call=100
        plan
        start
        run a
        next a1 tokens=101
        show
        packet
        resume raise to=9
        resume raise
        start
        run a
        next a2 tokens=101
    "), @r#"
    > submit call=100
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=101
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a budget of one call
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    = blocked execution, a blocked, spent 10 ms
    = wants nothing
    ? ?50: the budget of one call is used up
      item `a` (a) of goal "a goal"
      attempt 1: the budget of one call is used up
      item `a` was stopped at the limit; the next call might break it; 0 token(s) and 0.000000 USD are spent
      raise, finish, cancel
    > resume raise to=9
      refused: that does not raise the budget of one call
    > resume raise
      escalation.resolved a ?50 raise by ann Call
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=101
      model.requested a2 #1 101 token(s) 0 µUSD
    "#);
}

#[test]
fn an_item_has_caps_of_its_own() {
    assert_snapshot!(check("
        item a agent gates=1 tokens=50
        ready
        run a
        next a1 tokens=40
        answer a1 look? used=20
        act a1 +
        next a1 tokens=31
        resume raise
        start
        run a
        next a2 tokens=31
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=40
      model.requested a1 #1 40 token(s) 0 µUSD
    > answer a1 look? used=20
      model.answered a1 #1 20 token(s) look#2
    > act a1 +
      tool.completed a1 look#2 Ok
    > next a1 tokens=31
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a item's share of the budget
      escalation.created a1 ?80 budget
      workitem.blocked a ?80
      goal.blocked ?80
    > resume raise
      escalation.resolved a ?80 raise by ann Share
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=31
      model.requested a2 #1 31 token(s) 0 µUSD
    ");
}

#[test]
fn an_item_may_run_so_long_and_a_person_may_give_it_more() {
    // Each answer and each call took a millisecond.
    let turn = "next a1 tokens=1\nanswer a1 look? used=1\nact a1 +\n".repeat(500);
    let told = check(
        &[
            "item a agent gates=1 seconds=1 turns=600\nready\nrun a\n",
            &turn,
            "next a1 tokens=1\npacket\n\
        resume raise to=3\nresume raise\nstart\nrun a\nnext a2 tokens=1",
        ]
        .concat(),
    );
    let (_, end) = told.split_once("budget.exceeded").unwrap();
    assert_snapshot!(end, @r#"
     a item's time limit
      escalation.created a1 ?5e10 budget
      workitem.blocked a ?5e10
      goal.blocked ?5e10
    ? ?5e10: the item's time limit is used up
      item `a` (a) of goal "a goal"
      attempt 1: the item's time limit is used up
      item `a` was stopped at the limit; its models and tools have run as long as they may
      raise, finish, cancel
    > resume raise to=3
      refused: that does not raise the item's time limit
    > resume raise
      escalation.resolved a ?5e10 raise by ann ItemTime
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=1
      model.requested a2 #1 1 token(s) 0 µUSD
    "#);
}

#[test]
fn a_call_that_costs_more_than_was_put_aside_stops_an_item_that_has_caps_of_its_own() {
    assert_snapshot!(check("
        item a agent gates=1 tokens=50
        ready
        run a
        next a1 tokens=40
        answer a1 look? used=60
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=40
      model.requested a1 #1 40 token(s) 0 µUSD
    > answer a1 look? used=60
      model.answered a1 #1 60 token(s) overrun look#2
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a item's share of the budget
      escalation.created a1 ?60 budget
      workitem.blocked a ?60
      goal.blocked ?60
    ");
}

#[test]
fn a_day_has_so_many_answers() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        day turns=10 answered=6
        next a1 tokens=1
        answer a1 look? used=1
        act a1 +
        day turns=10 answered=10
        next a1 tokens=1
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=1
      model.requested a1 #1 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #1 1 token(s) look#2
      budget.warning 70 % of the budget of the day
    > act a1 +
      tool.completed a1 look#2 Ok
    > next a1 tokens=1
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a budget of the day
      escalation.created a1 ?80 budget
      workitem.blocked a ?80
      goal.blocked ?80
    ");
}

#[test]
fn a_deadline_is_warned_of_and_then_stops_what_is_not_done() {
    assert_snapshot!(check("
        item a
        item b needs=a
        submit deadline=1010
        show
        plan
        start
        run a
        tick
        at 700
        tick
        at 1000
        show
        tick
        show
        exec a1 ok
        show
        resume raise to=1
        show
    "), @"
    > submit deadline=1010
      goal.created
    = queued intake, spent 0 ms
    = wants plan
    = wakes at 710
    > plan
      workitem.created a ready
      workitem.created b queued
      goal.updated planned 2 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > tick
      refused: not now: no mark is reached
    > tick
      budget.warning 70 % of the time until the deadline
    = active execution, a in_progress, b queued, spent 0 ms and since 40
    = wants execute a1, tick
    = wakes at 910
    > tick
      budget.exceeded time until the deadline
      escalation.created ?70 budget
    = active execution, a in_progress, b queued, spent 0 ms and since 40
    = wants execute a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
      workitem.updated b ready
      goal.blocked ?70
    = blocked execution, a done, b ready, spent 980 ms
    = wants nothing
    > resume raise to=1
      escalation.resolved ?70 raise by ann Deadline(61030)
      goal.updated resumed by ann
    = queued execution, a done, b ready, spent 980 ms
    = wants prepare
    = wakes at 42724
    ");
}

#[test]
fn a_goal_that_waits_for_its_folder_has_its_deadline_too() {
    assert_snapshot!(check("
        item a
        submit deadline=100
        plan
        wait
        at 200
        show
        tick
        packet
        resume cancel
    "), @r#"
    > submit deadline=100
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > wait
      goal.updated waiting
    = queued planning, a ready, spent 0 ms
    = wants prepare, tick
    = wakes at 73
    > tick
      budget.exceeded time until the deadline
      escalation.created ?40 budget
      goal.blocked ?40
    ? ?40: the deadline has passed
      goal "a goal"
      nothing of it runs; the goal is not done
      raise, finish, cancel
    > resume cancel
      escalation.resolved ?40 cancel by ann
      goal.cancelled
    "#);
}

#[test]
fn the_time_budget_is_warned_of_while_a_step_runs() {
    assert_snapshot!(check("
        item a
        submit minutes=1
        plan
        start
        run a
        show
        at 42039
        show
        tick
        show
        at 60000
        tick
        tick
    "), @"
    > submit minutes=1
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    = active execution, a in_progress, spent 0 ms and since 40, 60000 ms left
    = wants execute a1
    = wakes at 42040
    = active execution, a in_progress, spent 0 ms and since 40, 18001 ms left
    = wants execute a1
    = wakes at 42040
    > tick
      budget.warning 70 % of the time budget
    = active execution, a in_progress, spent 0 ms and since 40, 17991 ms left
    = wants execute a1
    = wakes at 54040
    > tick
      budget.warning 90 % of the time budget
    > tick
      refused: not now: no mark is reached
    ");
}

#[test]
fn a_machine_that_slept_for_a_night_used_up_no_time() {
    assert_snapshot!(check("
        item a
        submit minutes=1
        plan
        start
        run a
        at 28800100
        jump 28800000
        show
        at 400
        jump -28799800
        show
        exec a1 ok
        show
        jump 5000
    "), @"
    > submit minutes=1
      goal.created
    > plan
      workitem.created a ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run a
      workitem.started a1
      run.started a1
    > jump 28800000
      goal.updated the clock jumped by 28800000
    = active execution, a in_progress, spent 0 ms and since 28800040, 59930 ms left
    = wants execute a1
    = wakes at 28842040
    > jump -28799800
      goal.updated the clock jumped by -28799800
    = active execution, a in_progress, spent 0 ms and since 240, 59830 ms left
    = wants execute a1
    = wakes at 42240
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    = active execution, a done, spent 180 ms, 59820 ms left
    = wants begin publish
    > jump 5000
      refused: not now: nothing of it runs
    ");
}

#[test]
fn a_person_cannot_buy_a_longer_day_with_an_amount() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        day tokens=10 settled=10
        next a1 tokens=1
        resume raise
        day tokens=10 settled=0
        resume retry
        start
        run a
        next a2 tokens=1
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=1
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a budget of the day
      escalation.created a1 ?50 budget
      workitem.blocked a ?50
      goal.blocked ?50
    > resume raise
      refused: `raise` is no answer to what is asked; answer with one of: retry (go on: another day has begun, or you raised the [budget] in config.toml and restarted), finish (deliver what is done, and leave the rest), cancel (cancel the goal)
    > resume retry
      escalation.resolved a ?50 retry by ann
      workitem.updated a reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=1
      model.requested a2 #1 1 token(s) 0 µUSD
    ");
}
