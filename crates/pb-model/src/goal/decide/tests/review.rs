//! Reviews: a model's word beside gates that a program decides.

use insta::assert_snapshot;

use super::script::check;

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn a_review_begins_when_the_other_gates_hold_and_its_word_is_a_gate() {
    assert_snapshot!(check("
        item a agent gates=1 review retries=1
        ready
        run a
        next a1 tokens=100
        answer a1 finish?
        act a1 .
        verify a1 +
        show
        takeover 2
        next r8 tokens=50 @2
        answer r8 submit_review? @2
        act r8 r @2
        show
        at 90000
        run a @2
        next a2 tokens=100 @2
        answer a2 finish? @2
        act a2 . @2
        verify a2 + @2
        next r17 tokens=50 @2
        answer r17 submit_review? @2
        act r17 R @2
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 finish?
      model.answered a1 #1 100 token(s) assumed finish#2
    > act a1 .
      tool.completed a1 finish#2 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 +
      gate.completed a1 g0 +
      verification.completed a1 verified
      run.started r8
    = active evaluation, a verify, spent 0 ms and since 40
    = wants compose r8
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      run.continued r8 by 2
    > next r8 tokens=50 @2
      model.requested r8 #1 50 token(s) 0 µUSD
    > answer r8 submit_review? @2
      model.answered r8 #1 50 token(s) assumed submit_review#2
    > act r8 r @2
      tool.completed r8 submit_review#2 Finished
      run.completed r8 success
      gate.completed a1 look -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 retry: attempt 1 of 2: gate "look": point 1 (m)
      workitem.updated a retry 1 at 360
    = active execution, a queued, spent 70 ms
    = wants nothing
    = wakes at 360
    > run a @2
      workitem.started a2
      run.started a2
    > next a2 tokens=100 @2
      model.requested a2 #1 100 token(s) 0 µUSD
    > answer a2 finish? @2
      model.answered a2 #1 100 token(s) assumed finish#2
    > act a2 . @2
      tool.completed a2 finish#2 Finished
      run.executed a2 (the agent finished)
      verification.started a2
    > verify a2 + @2
      gate.completed a2 g0 +
      verification.completed a2 verified
      run.started r17
    > next r17 tokens=50 @2
      model.requested r17 #1 50 token(s) 0 µUSD
    > answer r17 submit_review? @2
      model.answered r17 #1 50 token(s) assumed submit_review#2
    > act r17 R @2
      tool.completed r17 submit_review#2 Finished
      run.completed r17 success
      gate.completed a2 look +
      verification.completed a2 verified
      run.completed a2 success
      workitem.completed a2 verified
    = active execution, a done, spent 140 ms
    = wants begin publish
    "#);
}

#[test]
fn where_another_gate_fails_nobody_is_asked_for_a_review() {
    assert_snapshot!(check("
        item a agent gates=1 review retries=0
        ready
        run a
        next a1 tokens=100
        answer a1 finish?
        act a1 .
        verify a1 -
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 finish?
      model.answered a1 #1 100 token(s) assumed finish#2
    > act a1 .
      tool.completed a1 finish#2 Finished
      run.executed a1 (the agent finished)
      verification.started a1
    > verify a1 -
      gate.completed a1 g0 -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 give_up: no attempt is left: gate "g0": it is not there
      workitem.failed a GATE_FAILED
    = active execution, a failed, spent 40 ms
    = wants publish
    "#);
}

#[test]
fn a_review_that_comes_to_nothing_proves_nothing() {
    assert_snapshot!(check("
        item a gates=1 review retries=0
        ready tokens=100
        run a
        exec a1 ok
        verify a1 +
        next r6 tokens=500
        show
        publish
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
      run.started r6
    > next r6 tokens=500
      run.completed r6 failure BUDGET_EXHAUSTED
      gate.completed a1 look -
      verification.completed a1 failed
      run.completed a1 failure GATE_FAILED
      evaluation.decided a1 give_up: no attempt is left: gate "look": no review was made: the token budget is used up
      workitem.failed a GATE_FAILED
    = active execution, a failed, spent 30 ms
    = wants publish
    > publish
      goal.failed dead_letter (item `a`: gate "look": no review was made: the token budget is used up)
    "#);
}
