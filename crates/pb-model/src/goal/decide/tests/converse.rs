//! Conversations with a model: answers, tools, plans.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn an_agent_acts_until_it_says_that_it_is_done_and_then_the_gates_decide() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        show
        next a1 tokens=100 usd=7
        show
        answer a1 look? look? write look? used=40
        show
        act a1 ++-
        show
        act a1 + tokens=120
        answer a1 finish? used=50
        act a1 .
        show
        verify a1 +
    "), @"
    > run a
      workitem.started a1
      run.started a1
    = active execution, a in_progress, spent 0 ms and since 40
    = wants compose a1
    > next a1 tokens=100 usd=7
      model.requested a1 #1 100 token(s) 7 µUSD
    = active execution, a in_progress, spent 0 ms and since 40
    = wants think a1#1
    > answer a1 look? look? write look? used=40
      model.answered a1 #1 40 token(s) look#2 look#3 write#4 look#5
    = active execution, a in_progress, spent 0 ms and since 40
    = wants act a1#2
    > act a1 ++-
      tool.completed a1 look#2 Ok
      tool.completed a1 look#3 Ok
      tool.completed a1 write#4 Failed
    = active execution, a in_progress, spent 0 ms and since 40
    = wants act a1#5
    > act a1 + tokens=120
      tool.completed a1 look#5 Ok
      model.requested a1 #6 120 token(s) 0 µUSD
    > answer a1 finish? used=50
      model.answered a1 #6 50 token(s) finish#7
    > act a1 .
      tool.completed a1 finish#7 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    = active verification, a verify, spent 0 ms and since 40
    = wants verify a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    ");
}

#[test]
fn a_claim_is_no_proof_and_is_tried_again_with_the_evidence() {
    assert_snapshot!(check("
        item a agent gates=1 retries=1
        ready
        run a
        next a1 tokens=100
        answer a1 finish? used=40
        act a1 .
        verify a1 -
        at 5000
        run a
        next a2 tokens=100
        answer a2 finish? used=40
        act a2 .
        verify a2 -
        publish
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 finish? used=40
      model.answered a1 #1 40 token(s) finish#2
    > act a1 .
      tool.completed a1 finish#2 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: gate "g0": it is not there
      workitem.updated a retry 1 at 320
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=100
      model.requested a2 #1 100 token(s) 0 µUSD
    > answer a2 finish? used=40
      model.answered a2 #1 40 token(s) finish#2
    > act a2 .
      tool.completed a2 finish#2 Finished
      run.executed a2 (the agent finished)
      verification.started a2
    > verify a2 -
      gate.completed a2 g0 -
      verification.completed a2 failed
      run.completed a2 failure GATE_FAILED
      evaluation.decided a2 give_up: no attempt is left: gate "g0": it is not there
      workitem.failed a GATE_FAILED
    > publish
      goal.failed dead_letter (item `a`: gate "g0": it is not there)
    = failed execution, a failed, spent 80 ms
    = wants nothing
    "#);
}

#[test]
fn words_without_a_call_are_not_enough() {
    assert_snapshot!(check("
        item a agent gates=1 retries=0
        ready
        run a
        next a1 tokens=100
        answer a1 idle used=1
        next a1 tokens=100
        answer a1 idle used=1
        next a1 tokens=100
        answer a1 idle used=1
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #1 1 token(s)
    > next a1 tokens=100
      model.requested a1 #2 100 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #2 1 token(s)
    > next a1 tokens=100
      model.requested a1 #3 100 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #3 1 token(s)
      guard.tripped a1 empty_answers: escalate
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?a0 stuck
      workitem.blocked a ?a0
      goal.blocked ?a0
    = blocked execution, a blocked, spent 60 ms
    = wants nothing
    ");
    assert_snapshot!(check("
        item a agent gates=1 retries=0
        ready
        run a
        next a1 tokens=100
        answer a1 cut used=1
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 cut used=1
      model.answered a1 #1 1 token(s)
      run.executed a1 (no usable answer: its answer was cut at the length limit, without a call)
      run.completed a1 failure AGENT_FAILED
      evaluation.decided a1 give_up: no attempt is left: no usable answer: its answer was cut at the length limit, without a call
      workitem.failed a AGENT_FAILED
    ");
}

#[test]
fn a_model_that_loops_ends_at_its_turn_limit() {
    assert_snapshot!(check("
        item a agent gates=1 turns=2
        ready
        run a
        next a1 tokens=100
        answer a1 look? used=1
        act a1 + tokens=100
        answer a1 look? used=1
        act a1 + tokens=100
        publish
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #1 1 token(s) look#2
    > act a1 + tokens=100
      tool.completed a1 look#2 Ok
      model.requested a1 #3 100 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #3 1 token(s) look#4
    > act a1 + tokens=100
      tool.completed a1 look#4 Ok
      run.executed a1 (the agent used up its 2 turn(s))
      run.completed a1 failure TURN_LIMIT
      evaluation.decided a1 give_up: no attempt is left: the agent used up its 2 turn(s)
      workitem.failed a TURN_LIMIT
    > publish
      goal.failed dead_letter (item `a`: the agent used up its 2 turn(s))
    = failed execution, a failed, spent 50 ms
    = wants nothing
    ");
}

#[test]
fn a_model_that_insists_on_repeating_an_unsafe_call_is_stopped() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=100
        answer a1 run! used=4
        act a1 w tokens=100
        answer a1 run! used=4
        act a1 w
        packet
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 run! used=4
      model.answered a1 #1 4 token(s) run#2
    > act a1 w tokens=100
      tool.completed a1 run#2 Withheld
      model.requested a1 #3 100 token(s) 0 µUSD
    > answer a1 run! used=4
      model.answered a1 #3 4 token(s) run#4
    > act a1 w
      tool.completed a1 run#4 Withheld
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?90 risk
      workitem.blocked a ?90
      goal.blocked ?90
    ? ?90: the agent wants to repeat run: this
      item `a` (a) of goal "a goal"
      attempt 1: its effect is unsafe: making it again might do it twice
      an earlier attempt made the same call, or may have; its effect is unsafe: making it again might do it twice
      retry, skip, cancel
    "#);
}

#[test]
fn a_text_is_planned_by_a_model_first() {
    assert_snapshot!(check("
        item a gates=1
        item b needs=a gates=1
        text
        submit
        show
        planrun
        show
        next p tokens=100
        answer p submit_plan? used=9
        act p - tokens=100
        answer p submit_plan? used=9
        adopt p a,b
        show
    "), @"
    > submit
      goal.created
    = queued intake, spent 0 ms
    = wants have it planned
    > planrun
      run.started p
    = queued planning, spent 0 ms and since 20
    = wants compose p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #1 9 token(s) submit_plan#2
    > act p - tokens=100
      tool.completed p submit_plan#2 Failed
      model.requested p #3 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #3 9 token(s) submit_plan#4
    > adopt p a,b
      tool.completed p submit_plan#4 Finished
      run.completed p success
      workitem.created a ready
      workitem.created b queued
      goal.updated planned 2 item(s)
    = queued planning, a ready, b queued, spent 50 ms
    = wants prepare
    ");
    assert_snapshot!(check("
        item a gates=1
        text
        submit only
        planrun
        next p tokens=100
        answer p submit_plan? used=9
        adopt p a
        show
    "), @"
    > submit only
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #1 9 token(s) submit_plan#2
    > adopt p a
      tool.completed p submit_plan#2 Finished
      run.completed p success
      workitem.created a ready
      goal.updated planned 1 item(s)
      goal.completed (planned 1 item(s); nothing was run)
    = completed planning, a ready, spent 30 ms
    = wants nothing
    ");
}

#[test]
fn plans_that_do_not_hold_are_refused_three_times_then_a_human_is_asked() {
    assert_snapshot!(check("
        text
        submit
        planrun
        next p tokens=100
        answer p submit_plan? used=9
        act p - tokens=100
        answer p submit_plan? used=9
        act p - tokens=100
        answer p submit_plan? used=9
        act p - tokens=100
        packet
    "), @r#"
    > submit
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #1 9 token(s) submit_plan#2
    > act p - tokens=100
      tool.completed p submit_plan#2 Failed
      model.requested p #3 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #3 9 token(s) submit_plan#4
    > act p - tokens=100
      tool.completed p submit_plan#4 Failed
      model.requested p #5 100 token(s) 0 µUSD
    > answer p submit_plan? used=9
      model.answered p #5 9 token(s) submit_plan#6
    > act p - tokens=100
      tool.completed p submit_plan#6 Failed
      run.completed p failure NO_PLAN
      escalation.created p ?90 stuck
      goal.blocked ?90
    ? ?90: the model's plans were not valid
      goal "a goal"
      attempt 1: no valid plan was made
      the goal has no work items; found
      retry, cancel
    "#);
}

#[test]
fn agents_of_a_folder_take_turns() {
    assert_snapshot!(check("
        item a agent
        item b agent
        item c
        ready
        show
        run a
        show
        run b
    "), @"
    = active execution, a ready, b ready, c ready, spent 0 ms
    = wants start a, start b, start c
    > run a
      workitem.started a1
      run.started a1
    = active execution, a in_progress, b ready, c ready, spent 0 ms and since 40
    = wants compose a1, start c
    > run b
      refused: not now: another agent item works in the folder
    ");
}
