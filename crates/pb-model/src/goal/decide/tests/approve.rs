//! Gates whose judge the goal itself changed.

use insta::assert_snapshot;

use super::script::check;

#[test]
fn security_29_a_gate_that_the_goal_edited_asks_a_human() {
    assert_snapshot!(check("
        item a idempotent gates=2
        item b needs=a
        ready
        run a
        exec a1 ok
        verify a1 +e
        show
        packet
        resume raise
        resume approve
        show
        start
        show
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 +e
      gate.completed a1 g0 +
      gate.completed a1 g1 +, edited
      verification.completed a1 verified
      run.completed a1 success
      escalation.created a1 ?60 approval
      workitem.blocked a ?60
      goal.blocked ?60
    = blocked execution, a blocked, b queued, spent 20 ms
    = wants nothing
    ? ?60: what judges item `a` was changed by the goal
      item `a` (a) of goal "a goal"
      attempt 1: the command exited with 0
      its work is done and its gates pass; gate "g1" is decided by what the goal changed since its start: check.sh
      approve, retry, skip, cancel
    > resume raise
      refused: `raise` is no answer to what is asked; answer with one of: approve (let it count: you looked at these files, and they still prove the work), retry (try it again: you put these files right), skip (go on without it: it is not needed, and counts as not proven), cancel (cancel the goal)
    > resume approve
      escalation.resolved a ?60 approve by ann
      gate.approved a1 check.sh as e by ann
      workitem.completed a1 verified
      workitem.updated b ready
      goal.updated resumed by ann
    = queued execution, a done, b ready, spent 20 ms
    = wants prepare
    > start
      goal.started
    = active execution, a done, b ready, spent 20 ms
    = wants start b
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn an_approval_is_of_the_files_as_they_were() {
    assert_snapshot!(check("
        item a idempotent gates=1
        ready
        run a
        exec a1 ok
        verify a1 e
        resume approve
        start
        publishing
        publish a1=e
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified
      run.completed a1 success
      escalation.created a1 ?60 approval
      workitem.blocked a ?60
      goal.blocked ?60
    > resume approve
      escalation.resolved a ?60 approve by ann
      gate.approved a1 check.sh as e by ann
      workitem.completed a1 verified
      goal.updated resumed by ann
    > start
      goal.started
    > publishing
      goal.updated publishing
    > publish a1=e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified, again
      goal.completed (1 item done, 0 files delivered)
    = completed publish, a done, spent 20 ms
    = wants nothing
    ");
    assert_snapshot!(check("
        item a idempotent gates=1
        ready
        run a
        exec a1 ok
        verify a1 e
        resume approve
        start
        publishing
        publish a1=E files=1
        show
        resume approve
        start
        publishing
        publish a1=E files=1
        show
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified
      run.completed a1 success
      escalation.created a1 ?60 approval
      workitem.blocked a ?60
      goal.blocked ?60
    > resume approve
      escalation.resolved a ?60 approve by ann
      gate.approved a1 check.sh as e by ann
      workitem.completed a1 verified
      goal.updated resumed by ann
    > start
      goal.started
    > publishing
      goal.updated publishing
    > publish a1=E files=1
      gate.completed a1 g0 +, edited
      verification.completed a1 verified, again
      escalation.created a1 ?a0 approval
      workitem.blocked a ?a0
      goal.blocked ?a0
    = blocked publish, a blocked, spent 20 ms
    = wants nothing
    > resume approve
      escalation.resolved a ?a0 approve by ann
      gate.approved a1 check.sh as E by ann
      workitem.completed a1 verified
      goal.updated resumed by ann
    > start
      goal.started
    > publishing
      goal.updated publishing
    > publish a1=E files=1
      gate.completed a1 g0 +, edited
      verification.completed a1 verified, again
      artifact.created out/1
      goal.completed (1 item done, 1 file delivered)
    = completed publish, a done, spent 20 ms
    = wants nothing
    ");
}

#[test]
fn security_29_a_gate_edited_after_it_passed_asks_before_delivery() {
    assert_snapshot!(check("
        item a idempotent gates=1
        item b needs=a
        ready
        run a
        exec a1 ok
        verify a1 +
        run b
        exec b1 ok
        publishing
        publish a1=e
        show
        resume skip
        start
        publishing
        publish
        show
    "), @"
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
      run.completed b1 success
      workitem.completed b1 unverified
    > publishing
      goal.updated publishing
    > publish a1=e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified, again
      escalation.created a1 ?a0 approval
      workitem.blocked a ?a0
      goal.blocked ?a0
    = blocked publish, a blocked, b done, spent 30 ms
    = wants nothing
    > resume skip
      escalation.resolved a ?a0 skip by ann
      workitem.updated a skipped by ann
      goal.updated resumed by ann
    > start
      goal.started
    > publishing
      goal.updated publishing
    > publish
      goal.completed (1 item done, 1 left out, 0 files delivered)
    = completed publish, a skipped, b done, spent 30 ms
    = wants nothing
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one life is one text")]
fn what_a_goal_may_change_asks_nobody_and_a_gate_that_fails_is_tried_again() {
    assert_snapshot!(check("
        item a idempotent gates=1 maychange
        item b idempotent gates=2 retries=1
        ready
        run a
        exec a1 ok
        verify a1 e
        run b
        exec b1 ok
        verify b1 e-
        at 90000
        run b
        exec b2 ok
        verify b2 ee
        resume retry
        start
        run b
        exec b3 ok
        verify b3 ++
    "), @r#"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      verification.started a1
    > verify a1 e
      gate.completed a1 g0 +, edited
      verification.completed a1 verified
      run.completed a1 success
      workitem.completed a1 verified
    > run b
      workitem.started b1
      run.started b1
    > exec b1 ok
      run.executed b1 (the command exited with 0)
      verification.started b1
    > verify b1 e-
      gate.completed b1 g0 +, edited
      gate.completed b1 g1 -
      verification.completed b1 failed
      run.completed b1 failure GATE_FAILED
      evaluation.decided b1 retry: attempt 1 of 2: gate "g1": it is not there
      workitem.updated b retry 1 at 330
    > run b
      workitem.started b2
      run.started b2
    > exec b2 ok
      run.executed b2 (the command exited with 0)
      verification.started b2
    > verify b2 ee
      gate.completed b2 g0 +, edited
      gate.completed b2 g1 +, edited
      verification.completed b2 verified
      run.completed b2 success
      escalation.created b2 ?c0 approval
      workitem.blocked b ?c0
      goal.blocked ?c0
    > resume retry
      escalation.resolved b ?c0 retry by ann
      workitem.updated b reopened
      goal.updated resumed by ann
    > start
      goal.started
    > run b
      workitem.started b3
      run.started b3
    > exec b3 ok
      run.executed b3 (the command exited with 0)
      verification.started b3
    > verify b3 ++
      gate.completed b3 g0 +
      gate.completed b3 g1 +
      verification.completed b3 verified
      run.completed b3 success
      workitem.completed b3 verified
    "#);
}

#[test]
fn a_probe_by_an_edited_gate_asks_a_human() {
    assert_snapshot!(check("
        item a unsafe gates=1
        ready
        run a
        takeover 2
        verify a1 e @2
        show
        cancel
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > takeover 2
      goal.updated taken over by 2
      run.continued a1 by 2
      verification.started a1 to find out
    > verify a1 e @2
      gate.completed a1 g0 +, edited
      verification.completed a1 verified
      run.completed a1 success
      escalation.created a1 ?60 approval
      workitem.blocked a ?60
      goal.blocked ?60
    = blocked execution, a blocked, spent 10 ms
    = wants nothing
    > cancel
      goal.cancelled
    ");
}
