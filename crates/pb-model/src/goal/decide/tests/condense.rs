//! Conversations that outgrow their model's window.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn what_is_told_in_short_is_a_fact_before_the_model_is_asked() {
    assert_snapshot!(check("
        item a agent
        ready tokens=1000
        run a
        next a1 tokens=100
        answer a1 look? used=1
        act a1 + tokens=100 condensed=6
        answer a1 look? used=1
        act a1 +
        next a1 tokens=2000 condensed=9
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #1 1 token(s) look#2
    > act a1 + tokens=100 condensed=6
      tool.completed a1 look#2 Ok
      conversation.condensed a1 2 turn(s), 0 result(s), 1000 byte(s)
      model.requested a1 #3 100 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #3 1 token(s) look#4
    > act a1 +
      tool.completed a1 look#4 Ok
    > next a1 tokens=2000 condensed=9
      run.completed a1 timeout BUDGET_EXHAUSTED
      budget.exceeded a token budget
      escalation.created a1 ?a0 budget
      workitem.blocked a ?a0
      goal.blocked ?a0
    ");
}

/// Once: what is refused again is too long for a reason that leaving out more does not mend.
#[test]
fn a_request_that_was_refused_for_its_length_is_made_shorter_once() {
    assert_snapshot!(check("
        item a agent retries=1
        ready
        run a
        next a1 tokens=100
        fail a1 long
        show
        next a1 tokens=50 condensed=6
        answer a1 look? used=1
        act a1 + tokens=50
        fail a1 long
        next a1 tokens=50 condensed=9
        takeover 2 alive=200
        next a1 tokens=50 @2
        fail a1 long @2
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > fail a1 long
      model.failed a1 #1 (no) 0 token(s)
    = active execution, a in_progress, spent 0 ms and since 40
    = wants compose a1
    > next a1 tokens=50 condensed=6
      conversation.condensed a1 2 turn(s), 0 result(s), 1000 byte(s)
      model.requested a1 #2 50 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #2 1 token(s) look#3
    > act a1 + tokens=50
      tool.completed a1 look#3 Ok
      model.requested a1 #4 50 token(s) 0 µUSD
    > fail a1 long
      model.failed a1 #4 (no) 0 token(s)
    > next a1 tokens=50 condensed=9
      conversation.condensed a1 2 turn(s), 0 result(s), 1000 byte(s)
      model.requested a1 #5 50 token(s) 0 µUSD
    > takeover 2 alive=200
      goal.updated taken over by 2
      run.continued a1 by 2
      model.failed a1 #5 (the scheduler stopped while it answered) 50 token(s) assumed
    > next a1 tokens=50 @2
      model.requested a1 #6 50 token(s) 0 µUSD
    > fail a1 long @2
      model.failed a1 #6 (no) 0 token(s)
      run.executed a1 (no usable answer: the request is too long for the model, also after it was made shorter: no; say how many tokens it takes under [context_tokens] in config.toml)
      run.completed a1 failure AGENT_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: no usable answer: the request is too long for the model, also after it was made shorter: no; say how many tokens it takes under [context_tokens] in config.toml
      workitem.updated a retry 1 at 380
    = active execution, a queued, spent 180 ms
    = wants nothing
    = wakes at 380
    ");
}

#[test]
fn a_task_that_does_not_fit_fails_before_it_costs_anything() {
    assert_snapshot!(check("
        item a agent retries=3
        ready
        run a
        next a1 toolong
        publish
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 toolong
      run.completed a1 failure CONTEXT_TOO_SMALL
      evaluation.decided a1 give_up: no attempt is left: it does not fit
      workitem.failed a CONTEXT_TOO_SMALL
    > publish
      goal.failed dead_letter (item `a`: it does not fit)
    ");
    assert_snapshot!(check("
        text
        submit
        planrun
        next p toolong
        packet
    "), @r#"
    > submit
      goal.created
    > planrun
      run.started p
    > next p toolong
      run.completed p failure CONTEXT_TOO_SMALL
      escalation.created p ?30 stuck
      goal.blocked ?30
    ? ?30: the goal does not fit the model
      goal "a goal"
      attempt 1: it does not fit
      the goal has no work items; it does not fit
      retry, cancel
    "#);
}
