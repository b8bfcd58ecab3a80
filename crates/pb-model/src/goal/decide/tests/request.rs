//! What a client asks a yes for, and does itself.

use insta::assert_snapshot;
use uuid::Uuid;

use super::script::{check, run_id, state_after};
use crate::goal::{
    ApprovalRequest, Command, DayBudget, GoalState, Moment, QUESTION_BYTES_MAX, REQUESTS_MAX, decide,
};
use crate::{EscalationId, ItemId, RunId};

/// A client asks for a yes to this kind of thing, which is about this run.
pub(super) fn asks_for(kind: &str, run: Option<&str>) -> Command {
    let request = ApprovalRequest { run: run.map(run_id), ..request(kind) };
    Command::RequestApproval { request: Box::new(request), by: "tui".to_owned() }
}

fn request(kind: &str) -> ApprovalRequest {
    ApprovalRequest {
        request_type: kind.to_owned(),
        description: "把它发布到生产环境".to_owned(),
        item: None,
        run: None,
        details: "{}".to_owned(),
    }
}

#[test]
fn the_work_goes_on_and_is_not_delivered_before_the_answer() {
    assert_snapshot!(check("
        item a
        ready
        ask deploy
        show
        run a
        exec a1 ok
        show
        packet
        say 40 approve text=go
        start
        show
    "), @r#"
    > ask deploy
      escalation.created ?40 approval
      approval.requested ?40
    = active execution, a ready, spent 0 ms
    = wants start a
    = wakes at 86400040
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
      goal.blocked ?40
    = blocked execution, a done, spent 10 ms
    = wants nothing
    = wakes at 86400040
    ? ?40: 把它发布到生产环境
      goal "a goal"
      tui waits for the answer; the goal is not delivered before; tui asks for it: deploy {}
      approve, deny, cancel
    > say 40 approve text=go
      escalation.resolved ?40 approve by bob
      approval.granted ?40
      goal.updated resumed by bob
    > start
      goal.started
    = active execution, a done, spent 10 ms
    = wants begin publish
    "#);
}

#[test]
fn a_no_or_no_answer_lets_the_goal_go_on_without_it() {
    assert_snapshot!(check("
        item a
        ready within=60
        ask deploy
        ask mail
        run a
        exec a1 ok
        say 40 deny text=not_today
        show
        at 70000
        tick
        start
        show
    "), @"
    > ask deploy
      escalation.created ?40 approval
      approval.requested ?40
    > ask mail
      escalation.created ?50 approval
      approval.requested ?50
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
      goal.blocked ?40 ?50
    > say 40 deny text=not_today
      escalation.resolved ?40 deny by bob
      approval.denied ?40
    = blocked execution, a done, spent 10 ms
    = wants nothing
    = wakes at 60050
    > tick
      escalation.resolved ?50 deny by nobody, in time
      approval.expired ?50
      goal.updated resumed by nobody, in time
    > start
      goal.started
    = active execution, a done, spent 10 ms
    = wants begin publish
    ");
}

#[test]
fn nothing_is_asked_of_a_goal_that_is_over_or_being_delivered() {
    assert_snapshot!(check("
        item a
        ready
        run a
        exec a1 ok
        publishing
        ask deploy
        publish
        ask deploy
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > exec a1 ok
      run.executed a1 (the command exited with 0)
      run.completed a1 success
      workitem.completed a1 unverified
    > publishing
      goal.updated publishing
    > ask deploy
      refused: a goal that is being delivered cannot be asked about
    > publish
      goal.completed (1 item done, 0 files delivered)
    > ask deploy
      refused: a goal that is completed cannot be asked about
    ");
}

#[test]
fn a_run_that_ends_withdraws_nothing_that_a_client_asked() {
    assert_snapshot!(check("
        item a agent
        ready approve=tool
        run a
        next a1 tokens=100
        answer a1 tool!
        act a1 y
        ask deploy run=a1
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
    > ask deploy run=a1
      escalation.created a1 ?80 approval
      approval.requested a1 ?80
    > cancel
      approval.voided a1 ?70
      run.completed a1 aborted CANCELLED
      workitem.failed a CANCELLED
      goal.cancelled
    = cancelled execution, a failed, spent 30 ms
    = wants nothing
    ");
}

#[test]
fn what_a_client_asks_is_checked() {
    let refused = |state: &GoalState, change: fn(&mut ApprovalRequest)| {
        let mut asked = request("deploy");
        change(&mut asked);
        let command = Command::RequestApproval { request: Box::new(asked), by: "tui".to_owned() };
        let moment = Moment {
            now_ms: 1_000,
            escalation: EscalationId::from(Uuid::from_u128(0x9000)),
            run: RunId::from(Uuid::from_u128(0x9000)),
            seed: 1,
            day: DayBudget::default(),
        };
        decide(Some(state), command, moment).unwrap_err().to_string()
    };
    let script = "item a\nready\nrun a\n";
    let state = state_after(script);
    let full = state_after(&format!("{script}{}", "ask deploy\n".repeat(REQUESTS_MAX)));
    let problems = [
        refused(&state, |asked| asked.request_type = " ".to_owned()),
        refused(&state, |asked| asked.description = "字".repeat(QUESTION_BYTES_MAX)),
        refused(&state, |asked| asked.details = "x".repeat(20_000)),
        refused(&state, |asked| asked.item = Some(ItemId::from(Uuid::from_u128(99)))),
        refused(&state, |asked| asked.run = Some(RunId::from(Uuid::from_u128(99)))),
        refused(&full, |_| {}),
    ];
    assert_snapshot!(problems.join("\n"), @"
    requestType: it is empty; a person has to know what the yes is for
    description: it has 3072 bytes; at most 1024
    details: they have 20000 bytes; at most 16384
    workItemId: the goal has no item item_00000000000000000000000000000063
    runId: the goal has no run run_00000000000000000000000000000063
    32 requests for a yes are open already; have them answered first
    ");
}
