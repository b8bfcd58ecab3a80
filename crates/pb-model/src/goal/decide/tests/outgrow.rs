//! Histories that grow too long: nothing new starts, and a human decides.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn what_runs_ends_and_then_the_goal_waits_for_a_human() {
    assert_snapshot!(check("
        item first
        item second needs=first
        submit
        plan
        start
        run first
        outgrow
        show
        outgrow
        exec first1 ok
        show
        packet
    "), @r#"
    > submit
      goal.created
    > plan
      workitem.created first ready
      workitem.created second queued
      goal.updated planned 2 item(s)
    > start
      goal.started
    > run first
      workitem.started first1
      run.started first1
    > outgrow
      escalation.created ?50 budget
    = active execution, first in_progress, second queued, spent 0 ms and since 40
    = wants execute first1
    > outgrow
      refused: not now: the goal ends already
    > exec first1 ok
      run.executed first1 (the command exited with 0)
      run.completed first1 success
      workitem.completed first1 unverified
      workitem.updated second ready
      goal.blocked ?50
    = blocked execution, first done, second ready, spent 30 ms
    = wants nothing
    ? ?50: the room for the goal's history is used up
      goal "a goal"
      what runs is ended and recorded; nothing new starts; its history has 9 event(s) and 999 byte(s)
      retry, finish, cancel
    "#);
}

#[test]
fn a_goal_of_which_nothing_runs_waits_at_once() {
    assert_snapshot!(check("
        item first
        submit
        plan
        start
        outgrow
        show
        outgrow
        cancel
    "), @"
    > submit
      goal.created
    > plan
      workitem.created first ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > outgrow
      escalation.created ?40 budget
      goal.blocked ?40
    = blocked execution, first ready, spent 0 ms
    = wants nothing
    > outgrow
      refused: not now: the goal does not go on
    > cancel
      goal.cancelled
    ");
}

#[test]
fn a_model_is_not_asked_again() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1
        answer a1 look?
        outgrow
        act a1 +
        next a1
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1
      model.requested a1 #1 0 token(s) 0 µUSD
    > answer a1 look?
      model.answered a1 #1 0 token(s) assumed look#2
    > outgrow
      escalation.created ?70 budget
    > act a1 +
      tool.completed a1 look#2 Ok
    > next a1
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a room for the goal's history
      escalation.created a1 ?90 budget
      workitem.blocked a ?90
      goal.blocked ?70 ?90
    = blocked execution, a blocked, spent 50 ms
    = wants nothing
    ");
}

#[test]
fn a_goal_that_only_has_to_be_delivered_is() {
    assert_snapshot!(check("
        item first
        submit
        plan
        start
        run first
        outgrow
        exec first1 ok
        show
        outgrow
        publishing
        outgrow
        publish
        outgrow
    "), @"
    > submit
      goal.created
    > plan
      workitem.created first ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run first
      workitem.started first1
      run.started first1
    > outgrow
      escalation.created ?50 budget
    > exec first1 ok
      run.executed first1 (the command exited with 0)
      run.completed first1 success
      workitem.completed first1 unverified
    = active execution, first done, spent 20 ms
    = wants begin publish
    > outgrow
      refused: not now: the goal ends already
    > publishing
      goal.updated publishing
    > outgrow
      refused: not now: the goal ends already
    > publish
      goal.completed (1 item done, 0 files delivered)
    > outgrow
      refused: not now: the goal does not go on
    ");
}
