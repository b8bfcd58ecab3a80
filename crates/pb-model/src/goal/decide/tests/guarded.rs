//! A conversation that goes nowhere: the ladder, rung by rung.

use insta::assert_snapshot;

use super::script::check;

/// The same call with the same result, so many times.
fn repeated(times: usize) -> String {
    "next a1 tokens=1 other=n\nanswer a1 look? used=1\nact a1 =\n".repeat(times)
}

#[test]
fn a_repetition_climbs_the_ladder_to_a_person() {
    let script = ["item a agent gates=1\nready\nrun a\n", &repeated(12), "show\npacket"].concat();
    let told = check(&script);
    let rungs: Vec<&str> = told.lines().filter(|line| line.contains("guard.tripped")).collect();
    assert_snapshot!(rungs.join("\n"), @"
    guard.tripped a1 repetition: nudge
    guard.tripped a1 repetition: drop look
    guard.tripped a1 repetition: not m
    guard.tripped a1 repetition: escalate
    ");
    let (_, end) = told.split_once("escalate\n").unwrap();
    assert_snapshot!(end, @r#"
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?280 stuck
      workitem.blocked a ?280
      goal.blocked ?280
    = blocked execution, a blocked, spent 360 ms
    = wants nothing
    ? ?280: item `a` makes no progress
      item `a` (a) of goal "a goal"
      attempt 1: it made the same call 3 times in a row, with the same result
      the model was told; `look` was taken away; another model was asked instead of m; it made the same call 3 times in a row, with the same result
      retry, alternative_approach, skip, cancel
    "#);
}

#[test]
fn what_was_put_together_before_the_model_is_told_something_is_not_paid_for() {
    assert_snapshot!(check("
        item a agent gates=1
        ready
        run a
        next a1 tokens=1
        answer a1 look? used=1
        act a1 = tokens=1
        answer a1 look? used=1
        act a1 = tokens=1
        answer a1 look? used=1
        act a1 = tokens=1
        show
        next a1 tokens=2
        answer a1 look? used=1
        act a1 + tokens=3
    "), @"
    > run a
      workitem.started a1
      run.started a1
    > next a1 tokens=1
      model.requested a1 #1 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #1 1 token(s) look#2
    > act a1 = tokens=1
      tool.completed a1 look#2 Ok
      model.requested a1 #3 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #3 1 token(s) look#4
    > act a1 = tokens=1
      tool.completed a1 look#4 Ok
      model.requested a1 #5 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #5 1 token(s) look#6
    > act a1 = tokens=1
      tool.completed a1 look#6 Ok
      guard.tripped a1 repetition: nudge
    = active execution, a in_progress, spent 0 ms and since 40
    = wants compose a1
    > next a1 tokens=2
      model.requested a1 #7 2 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #7 1 token(s) look#8
    > act a1 + tokens=3
      tool.completed a1 look#8 Ok
      model.requested a1 #9 3 token(s) 0 µUSD
    ");
}

#[test]
fn turns_in_which_nothing_is_new_are_noticed_and_new_ones_are_not() {
    let round = "next a1 tokens=1\nanswer a1 look? read? used=1\nact a1 == same\n\
                 next a1 tokens=1\nanswer a1 read? list? used=1\nact a1 == same\n\
                 next a1 tokens=1\nanswer a1 list? look? read? used=1\nact a1 === same\n";
    let told = check(&["item a agent gates=1\nready\nrun a\n", &round.repeat(4)].concat());
    let tripped: Vec<&str> = told.lines().filter(|line| line.contains("guard.tripped")).collect();
    assert_snapshot!(tripped.join("\n"), @"  guard.tripped a1 no_progress: nudge");
    // The same calls, while the workspace changes.
    let told =
        check(&["item a agent gates=1\nready\nrun a\n", &round.replace("same", "").repeat(4)].concat());
    assert!(!told.contains("no_progress"), "{told}");
}

#[test]
fn who_wants_no_guards_has_none() {
    let script = ["item a agent gates=1 unguarded turns=9\nready\nrun a\n", &repeated(9), "show"].concat();
    let told = check(&script);
    assert!(!told.contains("guard.tripped"), "{told}");
    assert!(told.contains("TURN_LIMIT"), "{told}");
}

#[test]
fn empty_answers_lead_to_another_model_and_then_to_a_person() {
    let empty = "next a1 tokens=1 other=n\nanswer a1 idle used=1\n".repeat(6);
    let told = check(&["item a agent gates=1\nready\nrun a\n", &empty].concat());
    let (_, end) = told.split_once("run.started a1\n").unwrap();
    assert_snapshot!(end, @"
    > next a1 tokens=1 other=n
      model.requested a1 #1 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #1 1 token(s)
    > next a1 tokens=1 other=n
      model.requested a1 #2 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #2 1 token(s)
    > next a1 tokens=1 other=n
      model.requested a1 #3 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #3 1 token(s)
      guard.tripped a1 empty_answers: not m
    > next a1 tokens=1 other=n
      model.requested a1 #4 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #4 1 token(s)
    > next a1 tokens=1 other=n
      model.requested a1 #5 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #5 1 token(s)
    > next a1 tokens=1 other=n
      model.requested a1 #6 1 token(s) 0 µUSD
    > answer a1 idle used=1
      model.answered a1 #6 1 token(s)
      guard.tripped a1 empty_answers: escalate
      run.completed a1 failure NEEDS_HUMAN
      escalation.created a1 ?100 stuck
      workitem.blocked a ?100
      goal.blocked ?100
    ");
}

#[test]
fn a_model_is_told_once_that_its_turns_run_out() {
    let turn = "next a1 tokens=1\nanswer a1 look? used=1\nact a1 +\n".repeat(8);
    let told = check(&["item a agent gates=1 turns=8\nready\nrun a\n", &turn, "publish\nshow"].concat());
    let (_, end) = told.split_once("model.requested a1 #11").unwrap();
    assert_snapshot!(end, @"
     1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #11 1 token(s) look#12
    > act a1 +
      tool.completed a1 look#12 Ok
      guard.tripped a1 runaway_turns: nudge
    > next a1 tokens=1
      model.requested a1 #13 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #13 1 token(s) look#14
    > act a1 +
      tool.completed a1 look#14 Ok
    > next a1 tokens=1
      model.requested a1 #15 1 token(s) 0 µUSD
    > answer a1 look? used=1
      model.answered a1 #15 1 token(s) look#16
    > act a1 +
      tool.completed a1 look#16 Ok
      run.executed a1 (the agent used up its 8 turn(s))
      run.completed a1 failure TURN_LIMIT
      evaluation.decided a1 give_up: no attempt is left: the agent used up its 8 turn(s)
      workitem.failed a TURN_LIMIT
    > publish
      goal.failed dead_letter (item `a`: the agent used up its 8 turn(s))
    = failed execution, a failed, spent 240 ms
    = wants nothing
    ");
}
