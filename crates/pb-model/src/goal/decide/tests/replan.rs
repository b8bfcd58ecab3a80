//! Other models, other plans, and when a person decides.

use insta::assert_snapshot;

use super::script::check;

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn another_model_is_asked_when_the_gates_fail_again() {
    assert_snapshot!(check("
        item a agent gates=1 retries=3
        ready
        run a
        next a1 tokens=100 other=n
        answer a1 finish?
        act a1 .
        verify a1 -
        at 90000
        run a
        next a2 tokens=100 other=n
        answer a2 finish?
        act a2 .
        verify a2 -
        at 190000
        run a
        next a3 tokens=100
        answer a3 finish?
        act a3 .
        verify a3 -
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100 other=n
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
      evaluation.decided a1 retry: attempt 1 of 4: gate "g0": it is not there
      workitem.updated a retry 1 at 320
    > run a
      workitem.started a2
      run.started a2
    > next a2 tokens=100 other=n
      model.requested a2 #1 100 token(s) 0 µUSD
    > answer a2 finish?
      model.answered a2 #1 100 token(s) assumed finish#2
    > act a2 .
      tool.completed a2 finish#2 Finished
      run.executed a2 (the agent finished)
      verification.started a2
    > verify a2 -
      gate.completed a2 g0 -
      verification.completed a2 failed
      run.completed a2 failure GATE_FAILED
      evaluation.decided a2 switch_model: m failed at the gates again, so another model is asked: gate "g0": it is not there
      workitem.updated a retry 2 at 91732
    > run a
      workitem.started a3
      run.started a3
    > next a3 tokens=100
      model.requested a3 #1 100 token(s) 0 µUSD
    > answer a3 finish?
      model.answered a3 #1 100 token(s) assumed finish#2
    > act a3 .
      tool.completed a3 finish#2 Finished
      run.executed a3 (the agent finished)
      verification.started a3
    > verify a3 -
      gate.completed a3 g0 -
      verification.completed a3 failed
      run.completed a3 failure GATE_FAILED
      evaluation.decided a3 switch_model: its gates failed again, so a model of the tier complex is asked: gate "g0": it is not there
      workitem.updated a retry 3 at 192569
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn another_plan_keeps_what_is_done_and_at_last_a_person_decides() {
    assert_snapshot!(check("
        item a gates=1
        item b needs=a gates=1 retries=0
        item c needs=b
        item d needs=a gates=1 retries=0
        item e gates=1 retries=0
        item f gates=1
        text
        submit
        planrun
        next p tokens=100
        answer p submit_plan?
        adopt p a,b,c
        start
        run a
        exec a1 ok
        verify a1 +
        run b
        exec b1 ok
        verify b1 -
        show
        planrun
        next q tokens=100
        answer q submit_plan?
        adopt q d
        show
        run d
        exec d1 ok
        verify d1 -
        planrun
        next r tokens=100
        answer r submit_plan?
        adopt r e
        run e
        exec e1 ok
        verify e1 -
        show
        packet
        say 1a0 alternative_approach
        say 1a0 alternative_approach text=by_hand
        show
        planrun
        next s tokens=100
        answer s submit_plan?
        adopt s f
        start
        run f
        exec f1 ok
        verify f1 +
        show
        publishing
        publish
    "), @r#"
    > submit
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan?
      model.answered p #1 100 token(s) assumed submit_plan#2
    > adopt p a,b,c
      tool.completed p submit_plan#2 Finished
      run.completed p success
      workitem.created a ready
      workitem.created b queued
      workitem.created c queued
      goal.updated planned 3 item(s)
    > start
      goal.started
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
    > verify b1 -
      gate.completed b1 g0 -
      verification.completed b1 failed
      run.completed b1 failure GATE_FAILED
      evaluation.decided b1 replan: item `b` cannot be done as planned (plan 1): gate "g0": it is not there
      workitem.failed b GATE_FAILED
      workitem.updated b superseded
      workitem.updated c superseded
      goal.replanning by evaluation: item `b` cannot be done as planned (plan 1): gate "g0": it is not there
    = active execution, a done, b skipped, c skipped, spent 70 ms
    = wants have it planned
    > planrun
      run.started q
    > next q tokens=100
      model.requested q #1 100 token(s) 0 µUSD
    > answer q submit_plan?
      model.answered q #1 100 token(s) assumed submit_plan#2
    > adopt q d
      tool.completed q submit_plan#2 Finished
      run.completed q success
      workitem.created d ready
      goal.updated planned 1 item(s)
    = active planning, a done, b skipped, c skipped, d ready, spent 100 ms
    = wants start d
    > run d
      workitem.started d1
      run.started d1
    > exec d1 ok
      run.executed d1 (the command exited with 0)
      verification.started d1
    > verify d1 -
      gate.completed d1 g0 -
      verification.completed d1 failed
      run.completed d1 failure GATE_FAILED
      evaluation.decided d1 replan: item `d` cannot be done as planned (plan 2): gate "g0": it is not there
      workitem.failed d GATE_FAILED
      workitem.updated d superseded
      goal.replanning by evaluation: item `d` cannot be done as planned (plan 2): gate "g0": it is not there
    > planrun
      run.started r
    > next r tokens=100
      model.requested r #1 100 token(s) 0 µUSD
    > answer r submit_plan?
      model.answered r #1 100 token(s) assumed submit_plan#2
    > adopt r e
      tool.completed r submit_plan#2 Finished
      run.completed r success
      workitem.created e ready
      goal.updated planned 1 item(s)
    > run e
      workitem.started e1
      run.started e1
    > exec e1 ok
      run.executed e1 (the command exited with 0)
      verification.started e1
    > verify e1 -
      gate.completed e1 g0 -
      verification.completed e1 failed
      run.completed e1 failure GATE_FAILED
      evaluation.decided e1 escalate: no attempt and no other plan is left: gate "g0": it is not there
      escalation.created e1 ?1a0 repeated_failure
      workitem.blocked e ?1a0
      goal.blocked ?1a0
    = blocked execution, a done, b skipped, c skipped, d skipped, e blocked, spent 170 ms
    = wants nothing
    ? ?1a0: item `e` fails again and again
      item `e` (e) of goal "a goal"
      attempt 1: the command exited with 0
      no attempt and no other plan is left; gate "g0": it is not there
      retry, alternative_approach, skip, cancel
    > say 1a0 alternative_approach
      refused: `alternative_approach` needs words: what is the answer?
    > say 1a0 alternative_approach text=by_hand
      escalation.resolved e ?1a0 alternative_approach by bob
      workitem.updated e superseded
      goal.replanning by bob: by_hand
      goal.updated resumed by bob
    = queued execution, a done, b skipped, c skipped, d skipped, e skipped, spent 170 ms
    = wants have it planned
    > planrun
      run.started s
    > next s tokens=100
      model.requested s #1 100 token(s) 0 µUSD
    > answer s submit_plan?
      model.answered s #1 100 token(s) assumed submit_plan#2
    > adopt s f
      tool.completed s submit_plan#2 Finished
      run.completed s success
      workitem.created f ready
      goal.updated planned 1 item(s)
    > start
      goal.started
    > run f
      workitem.started f1
      run.started f1
    > exec f1 ok
      run.executed f1 (the command exited with 0)
      verification.started f1
    > verify f1 +
      gate.completed f1 g0 +
      verification.completed f1 verified
      run.completed f1 success
      workitem.completed f1 verified
    = active execution, a done, b skipped, c skipped, d skipped, e skipped, f done, spent 220 ms
    = wants begin publish
    > publishing
      goal.updated publishing
    > publish
      goal.completed (2 items done, 0 files delivered)
    "#);
}

#[test]
fn a_plan_waits_for_a_yes() {
    assert_snapshot!(check("
        item a gates=1
        item b gates=1
        text
        submit approve-plan
        planrun
        next p tokens=100
        answer p submit_plan?
        adopt p a
        show
        packet
        say 50 alternative_approach text=smaller
        show
        planrun
        next q tokens=100
        answer q submit_plan?
        adopt q b
        say a0 approve
        show
        cancel
    "), @r#"
    > submit approve-plan
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p submit_plan?
      model.answered p #1 100 token(s) assumed submit_plan#2
    > adopt p a
      tool.completed p submit_plan#2 Finished
      run.completed p success
      workitem.created a ready
      goal.updated planned 1 item(s)
      escalation.created p ?50 approval
      goal.blocked ?50
    = blocked planning, a ready, spent 30 ms
    = wants nothing
    ? ?50: a plan of 1 item(s) waits for your yes
      goal "a goal"
      nothing of it was done; a: a
      approve, alternative_approach, cancel
    > say 50 alternative_approach text=smaller
      escalation.resolved ?50 alternative_approach by bob
      workitem.updated a superseded
      goal.replanning by bob: smaller
      goal.updated resumed by bob
    = queued planning, a skipped, spent 30 ms
    = wants have it planned
    > planrun
      run.started q
    > next q tokens=100
      model.requested q #1 100 token(s) 0 µUSD
    > answer q submit_plan?
      model.answered q #1 100 token(s) assumed submit_plan#2
    > adopt q b
      tool.completed q submit_plan#2 Finished
      run.completed q success
      workitem.created b ready
      goal.updated planned 1 item(s)
      escalation.created q ?a0 approval
      goal.blocked ?a0
    > say a0 approve
      escalation.resolved ?a0 approve by bob
      goal.updated resumed by bob
    = queued planning, a skipped, b ready, spent 60 ms
    = wants prepare
    > cancel
      goal.cancelled
    "#);
}
