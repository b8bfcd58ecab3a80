//! Calls that wait for a person: a yes, answers, and what becomes of them without.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn a_call_waits_for_a_yes_and_is_made_once() {
    assert_snapshot!(check("
        item a agent gates=1
        ready approve=tool within=60
        run a
        next a1 tokens=100
        answer a1 look? tool! more
        act a1 +y
        show
        packet
        takeover 2
        act a1 ++ @2
        say 70 approve
        start
        show
        act a1 y @2
        show
        act a1 ++ tokens=100 @2
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 look? tool! more
      model.answered a1 #1 100 token(s) assumed look#2 tool#3 more#4
    > act a1 +y
      tool.completed a1 look#2 Ok
      escalation.created a1 ?70 approval
      approval.requested a1 ?70
      goal.blocked ?70
    = blocked execution, a in_progress, spent 30 ms
    = wants nothing
    = wakes at 60070
    ? ?70: may `a` do this? tool: this
      item `a` (a) of goal "a goal"
      nothing of it was done; the agent waits; it would run: rm '-r\u{200b}' (in /w)
      approve, deny, cancel
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
    > act a1 ++ @2
      refused: not now: the run waits for a person
    > say 70 approve
      escalation.resolved a1 ?70 approve by bob
      approval.granted a1 ?70
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a in_progress, spent 30 ms and since 110
    = wants act a1#3
    > act a1 y @2
      approval.used a1 ?70
    = active execution, a in_progress, spent 30 ms and since 110
    = wants act a1#3
    > act a1 ++ tokens=100 @2
      tool.completed a1 tool#3 Ok
      tool.completed a1 more#4 Ok
      model.requested a1 #5 100 token(s) 0 µUSD
    = active execution, a in_progress, spent 30 ms and since 110
    = wants think a1#5
    "#);
}

#[test]
fn a_yes_is_for_what_was_shown() {
    assert_snapshot!(check("
        item a agent
        ready approve=tool
        run a
        next a1 tokens=100
        answer a1 tool!
        act a1 y
        say 70 approve
        start
        act a1 Y
        show
        say 70 deny
        say a0 deny text=not_today
        start
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 tool!
      model.answered a1 #1 100 token(s) assumed tool#2
    > act a1 y
      escalation.created a1 ?70 approval
      approval.requested a1 ?70
      goal.blocked ?70
    > say 70 approve
      escalation.resolved a1 ?70 approve by bob
      approval.granted a1 ?70
      goal.updated resumed by bob
    > start
      goal.started
    > act a1 Y
      approval.voided a1 ?70
      escalation.created a1 ?a0 approval
      approval.requested a1 ?a0
      goal.blocked ?a0
    = blocked execution, a in_progress, spent 40 ms
    = wants nothing
    = wakes at 86400100
    > say 70 deny
      refused: answered already: approve, by bob
    > say a0 deny text=not_today
      escalation.resolved a1 ?a0 deny by bob
      approval.denied a1 ?a0
      tool.completed a1 tool#2 Failed
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a in_progress, spent 40 ms and since 130
    = wants compose a1
    ");
}

#[test]
fn nobody_says_yes_in_time() {
    assert_snapshot!(check("
        item a agent
        item b gates=1
        ready approve=tool within=1
        run a
        next a1 tokens=100
        answer a1 tool!
        act a1 y
        show
        run b
        exec b1 ok
        verify b1 +
        show
        at 2000
        tick
        say 70 approve
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 tool!
      model.answered a1 #1 100 token(s) assumed tool#2
    > act a1 y
      escalation.created a1 ?70 approval
      approval.requested a1 ?70
    = active execution, a in_progress, b ready, spent 30 ms
    = wants start b
    = wakes at 1070
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
      goal.blocked ?70
    = blocked execution, a in_progress, b done, spent 50 ms
    = wants nothing
    = wakes at 1070
    > tick
      escalation.resolved a1 ?70 deny by nobody, in time
      approval.expired a1 ?70
      tool.completed a1 tool#2 Failed
      goal.updated resumed by nobody, in time
    > say 70 approve
      refused: answered already: deny, by nobody, in time
    = queued execution, a in_progress, b done, spent 50 ms
    = wants prepare
    ");
}

#[test]
fn one_packet_of_questions_before_the_plan() {
    assert_snapshot!(check("
        item a gates=1
        text
        submit
        planrun
        next p tokens=100
        answer p ask?
        act p q
        show
        packet
        takeover 2
        say 50 user_input
        say 50 user_input two=this
        say 50 user_input one=that
        show
        next p tokens=100 @2
        answer p submit_plan? @2
        adopt p a @2
        show
    "), @r#"
    > submit
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p ask?
      model.answered p #1 100 token(s) assumed ask#2
    > act p q
      escalation.created p ?50 clarification
      goal.blocked ?50
    = blocked elaboration, spent 30 ms
    = wants nothing
    = wakes at 86400050
    ? ?50: Which one?
      goal "a goal"
      the goal is being planned, and waits for the answer; the goal can be read in more than one way, and the answer changes what is done
      user_input, skip, cancel
    > takeover 2
      goal.updated taken over by 2
      run.continued p by 2
    > say 50 user_input
      refused: `user_input` needs words: what is the answer?
    > say 50 user_input two=this
      refused: there is no question `two`; there are: one
    > say 50 user_input one=that
      escalation.resolved p ?50 user_input by bob
      tool.completed p ask#2 Ok
      goal.updated resumed by bob
    = queued planning, spent 30 ms and since 90
    = wants compose p
    > next p tokens=100 @2
      model.requested p #3 100 token(s) 0 µUSD
    > answer p submit_plan? @2
      model.answered p #3 100 token(s) assumed submit_plan#4
    > adopt p a @2
      tool.completed p submit_plan#4 Finished
      run.completed p success
      workitem.created a ready
      goal.updated planned 1 item(s)
    = queued planning, a ready, spent 60 ms
    = wants prepare
    "#);
}

#[test]
fn nobody_answers_and_the_default_is_taken() {
    assert_snapshot!(check("
        item a gates=1
        text
        submit within=1
        planrun
        next p tokens=100
        answer p ask?
        act p q
        at 2000
        tick
        show
    "), @r#"
    > submit within=1
      goal.created
    > planrun
      run.started p
    > next p tokens=100
      model.requested p #1 100 token(s) 0 µUSD
    > answer p ask?
      model.answered p #1 100 token(s) assumed ask#2
    > act p q
      escalation.created p ?50 clarification
      goal.blocked ?50
    > tick
      escalation.resolved p ?50 skip by nobody, in time
      goal.elaborated assumes ["Which one? this"], 0 criteria
      tool.completed p ask#2 Ok
      goal.updated resumed by nobody, in time
    = queued planning, spent 30 ms and since 2010
    = wants compose p
    "#);
}

#[test]
fn what_waits_ends_with_its_goal() {
    assert_snapshot!(check("
        item a agent
        ready approve=tool
        run a
        next a1 tokens=100
        answer a1 tool!
        act a1 y
        cancel
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=100
      model.requested a1 #1 100 token(s) 0 µUSD
    > answer a1 tool!
      model.answered a1 #1 100 token(s) assumed tool#2
    > act a1 y
      escalation.created a1 ?70 approval
      approval.requested a1 ?70
      goal.blocked ?70
    > cancel
      approval.voided a1 ?70
      run.completed a1 aborted CANCELLED
      workitem.failed a CANCELLED
      goal.cancelled
    = cancelled execution, a failed, spent 30 ms
    = wants nothing
    ");
}
