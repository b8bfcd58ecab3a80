use std::collections::BTreeSet;

use uuid::Uuid;

use super::*;
use crate::goal::{AfterFailure, Amount, Caps, DayBudget, Hindrance, Next, Used};
use crate::machine::{START, Step};
use crate::spec::GoalSpec;

fn id() -> SessionId {
    SessionId::from(Uuid::from_u128(7))
}

fn goal(n: u128) -> GoalId {
    GoalId::from(Uuid::from_u128(n))
}

fn moment(now_ms: Millis) -> SessionMoment {
    SessionMoment { now_ms, seed: 3, day: DayBudget::default() }
}

fn message(text: &str) -> SessionCommand {
    SessionCommand::Say {
        id: id(),
        persona: Box::new(Persona::built_in()),
        workspace: Some("/work".to_owned()),
        text: text.to_owned(),
        by: "local".to_owned(),
    }
}

fn next() -> Next {
    Next {
        model: "a/b".to_owned(),
        other_model: None,
        amount: Amount { tokens: 100, micro_usd: 50 },
        output_tokens: 20,
        request_hash: String::new(),
        unpriced: false,
        condensing: None,
    }
}

fn reserve() -> SessionCommand {
    SessionCommand::Reserve { epoch: 1, next: Ok(next()) }
}

fn thought(n: u32, heard: Heard) -> SessionCommand {
    let used = Some(Used { input_tokens: 10, output_tokens: 5, micro_usd: 9, unpriced: false });
    let thought = Box::new(SessionThought { model: "a/b".to_owned(), used, heard });
    SessionCommand::FinishThinking { n, epoch: 1, thought }
}

fn said(n: u32, text: &str) -> SessionCommand {
    thought(n, Heard::Answered(Reply::Said { text: text.to_owned(), asks: false }))
}

fn made(n: u32, of: u128) -> SessionCommand {
    let spec = Box::new(GoalSpec::in_words("写报告", "写一份报告"));
    thought(n, Heard::Answered(Reply::MadeGoal { text: "好的".to_owned(), goal: goal(of), spec }))
}

fn failed(n: u32, then: AfterFailure) -> SessionCommand {
    thought(n, Heard::Failed { error: "503".to_owned(), then, charged: false })
}

/// A session that is told one thing after the other, and what happened, one line each.
#[derive(Default)]
struct Told {
    session: Option<Session>,
    lines: Vec<String>,
    steps: BTreeSet<Step>,
    now_ms: Millis,
}

impl Told {
    fn tell(&mut self, command: SessionCommand) -> Result<(), SessionRejection> {
        self.tell_on(command, DayBudget::default())
    }

    fn tell_on(&mut self, command: SessionCommand, day: DayBudget) -> Result<(), SessionRejection> {
        self.now_ms += 1_000;
        let events = decide(self.session.as_ref(), command, &SessionMoment { day, ..moment(self.now_ms) })?;
        for event in &events {
            let from = self.session.as_ref().map_or(START, |session| session.status.as_str());
            // What is stored is what is folded.
            let stored: SessionEvent = serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap();
            assert_eq!(stored, *event);
            self.session = evolve(self.session.take(), &stored, self.now_ms);
            let session = self.session.as_ref().unwrap();
            self.steps.insert(Step(from, event.kind(), session.status.as_str()));
            let last = session.turns.last().map(|turn| format!("{:?}: {}", turn.role, turn.content));
            self.lines.push(format!(
                "{} -> {} ({}) {}",
                event.kind(),
                session.status.as_str(),
                session.state(),
                last.unwrap_or_default()
            ));
        }
        Ok(())
    }

    fn of(commands: impl IntoIterator<Item = SessionCommand>) -> Self {
        let mut told = Self::default();
        for command in commands {
            told.tell(command).unwrap();
        }
        told
    }

    fn session(&self) -> &Session {
        self.session.as_ref().unwrap()
    }
}

#[test]
fn a_message_is_answered_and_the_news_of_its_goal_are_told() {
    let news = |text: &str, ended| SessionCommand::Tell { goal: goal(1), text: text.to_owned(), ended };
    let told = Told::of([
        message("帮我写一份报告"),
        reserve(),
        made(1, 1),
        news("two steps are planned", None),
        news("报告写好了", Some(GoalStatus::Completed)),
        message("谢谢"),
    ]);
    insta::assert_snapshot!(told.lines.join("\n"), @"
    conversation.started -> idle (idle) 
    conversation.message -> waiting (chatting) User: 帮我写一份报告
    conversation.requested -> thinking (chatting) User: 帮我写一份报告
    conversation.response -> idle (executing) Assistant: 好的
    task.narration -> idle (monitoring) Worker: two steps are planned
    task.result -> idle (reporting) Worker: 报告写好了
    conversation.message -> waiting (chatting) User: 谢谢
    ");
    let session = told.session();
    assert_eq!((session.answered, session.said), (1, 5));
    assert_eq!(session.spending.settled, Amount { tokens: 15, micro_usd: 9 });
    assert!(session.spending.reserved.is_empty());
    assert_eq!(session.active_goal(), None);
}

#[test]
fn what_is_said_while_the_model_thinks_is_answered_next() {
    let told = Told::of([message("a"), reserve(), message("b"), said(1, "to a"), reserve(), said(2, "to b")]);
    assert_eq!(told.session().status, SessionStatus::Idle);
    let texts: Vec<&str> = told.session().turns.iter().map(|turn| turn.content.as_str()).collect();
    assert_eq!(texts, ["a", "b", "to a", "to b"]);
    assert_eq!(told.session().answered, 3, "the second call saw the first answer");
    let answer = |n| told.session().answer_to(n).map(|turn| turn.content.as_str());
    assert_eq!([answer(1), answer(2), answer(5)], [Some("to a"), Some("to b"), None]);
}

#[test]
fn news_that_come_before_an_answer_are_none() {
    let news = SessionCommand::Tell { goal: goal(1), text: "planned".to_owned(), ended: None };
    let told =
        Told::of([message("a"), reserve(), made(1, 1), message("b"), news, reserve(), said(2, "to b")]);
    assert_eq!(told.session().answer_to(3).map(|turn| turn.content.as_str()), Some("to b"));
}

#[test]
fn a_call_that_nobody_saw_end_is_charged_in_full_and_made_again_but_not_for_ever() {
    let mut told = Told::of([message("a"), reserve(), SessionCommand::TakeOver]);
    assert_eq!(told.session().want(told.now_ms), Some(SessionWant::Compose));
    assert_eq!(told.session().spending.assumed, Amount { tokens: 100, micro_usd: 50 });
    assert_eq!(told.tell(said(1, "late")), Err(SessionRejection::NotNow("the call is over")));
    for _ in 1..crate::goal::MODEL_FAILURES_MAX {
        told.tell(reserve()).unwrap();
        told.tell(SessionCommand::TakeOver).unwrap();
    }
    assert_eq!(told.session().status, SessionStatus::Idle);
    let last = told.lines.last().unwrap();
    assert!(
        last.ends_with("There is no answer: 5 calls in a row failed; nobody saw how the last one ended"),
        "{last}"
    );
}

#[test]
fn a_failed_call_is_made_again_after_a_pause_and_given_up_in_words() {
    let mut told =
        Told::of([message("a"), reserve(), failed(1, AfterFailure::Again { after_ms: Some(5_000) })]);
    assert_eq!(told.session().next_wake(), Some(told.now_ms + 5_000));
    assert_eq!(told.session().want(told.now_ms), None);
    assert_eq!(told.session().want(told.now_ms + 5_000), Some(SessionWant::Compose));
    told.tell(reserve()).unwrap();
    told.tell(failed(2, AfterFailure::Human)).unwrap();
    let text = &told.session().turns.last().unwrap().content;
    assert_eq!(
        text,
        "There is no answer: the model does not let us in: 503; set its key and run `pb scheduler restart`, then say it \
         again"
    );
    assert_eq!(told.session().spending.settled, Amount::default());
}

#[test]
fn what_cannot_be_paid_for_today_is_not_asked() {
    let caps = Caps { tokens: Some(99), micro_usd: None };
    let mut told = Told::of([message("a")]);
    told.tell_on(reserve(), DayBudget { caps, ..DayBudget::default() }).unwrap();
    let last = &told.session().turns.last().unwrap().content;
    assert!(last.contains("the budget of the day is used up"), "{last}");
    assert_eq!((told.session().calls, told.session().status), (0, SessionStatus::Idle));
    let nobody = Hindrance::NoModel { why: "no model was found".to_owned(), hint: "set a key".to_owned() };
    told.tell(message("b")).unwrap();
    told.tell(SessionCommand::Reserve { epoch: 1, next: Err(nobody) }).unwrap();
    assert!(told.lines.last().unwrap().contains("no model was found"));
}

#[test]
fn messages_are_bounded_and_an_end_is_an_end() {
    let mut told = Told::default();
    let refused = |told: &mut Told, text: &str| told.tell(message(text)).unwrap_err().to_string();
    assert_eq!(refused(&mut told, " \n"), "message: it is empty");
    let long = "好".repeat(MESSAGE_BYTES_MAX / 3 + 1);
    assert_eq!(refused(&mut told, &long), "message: it has 32769 bytes, at most 32768 are taken");
    for _ in 0..UNANSWERED_MAX {
        told.tell(message("x")).unwrap();
    }
    assert_eq!(refused(&mut told, "x"), "message: 16 messages wait for an answer already");
    told.tell(reserve()).unwrap();
    told.tell(SessionCommand::End { by: "local".to_owned() }).unwrap();
    assert!(told.session().spending.reserved.is_empty(), "what was put aside is settled");
    assert_eq!(told.tell(message("x")), Err(SessionRejection::Ended));
}

#[test]
fn what_a_session_keeps_is_bounded() {
    let mut told = Told::default();
    for _ in 0..TURNS_KEPT_MAX {
        told.tell(message("x")).unwrap();
        told.tell(reserve()).unwrap();
        let n = told.session().calls;
        told.tell(said(n, &"y".repeat(1024))).unwrap();
    }
    let bytes: usize = told.session().turns.iter().map(|turn| turn.content.len()).sum();
    assert!(bytes <= TURNS_BYTES_MAX && told.session().turns.len() <= TURNS_KEPT_MAX, "{bytes}");
    assert_eq!(told.session().turns.last().unwrap().n, 2 * TURNS_KEPT_MAX as u64);
}

/// Everything that may be told.
fn commands() -> Vec<SessionCommand> {
    let news = |ended| SessionCommand::Tell { goal: goal(1), text: "news".to_owned(), ended };
    let mut commands = vec![
        message("x"),
        message("x"),
        reserve(),
        reserve(),
        SessionCommand::Reserve { epoch: 1, next: Err(Hindrance::Host { why: "no".to_owned() }) },
        SessionCommand::TakeOver,
        news(None),
        news(Some(GoalStatus::Completed)),
        SessionCommand::End { by: "local".to_owned() },
    ];
    for n in 1..5 {
        let cancel = Reply::CancelledGoal { text: "ok".to_owned(), goal: goal(1) };
        commands.extend([
            said(n, "y"),
            made(n, 1),
            thought(n, Heard::Answered(cancel)),
            failed(n, AfterFailure::Again { after_ms: None }),
            failed(n, AfterFailure::Nothing),
        ]);
    }
    commands
}

/// Nothing is left hanging: what is not answered is wanted, and what is put aside is for the call under way.
fn holds(session: &Session, now_ms: Millis) {
    let is_thinking = session.status == SessionStatus::Thinking;
    assert_eq!(session.spending.reserved.len(), usize::from(is_thinking), "{session:?}");
    assert_eq!(session.call.is_some(), is_thinking, "{session:?}");
    let unanswered = session.turns.iter().any(|turn| turn.role == Role::User && turn.n > session.answered);
    let wants = session.want(now_ms + crate::retry::RETRY_MAX_MS).is_some();
    assert!(session.status == SessionStatus::Ended || unanswered == wants, "{session:?}");
}

#[test]
fn every_step_is_in_the_table_and_each_of_the_table_happens() {
    let commands = commands();
    let mut seen = BTreeSet::new();
    let mut random = numbers(7);
    for _ in 0..LIVES {
        let mut told = Told::default();
        for _ in 0..40 {
            let pick = random() % commands.len();
            let _ = told.tell(commands[pick].clone()); // Most do not fit; then nothing changes.
            let Some(session) = &mut told.session else { continue };
            holds(session, told.now_ms);
            if pick == 0 && session.said > 2 {
                session.events = HISTORY_EVENTS_MAX; // As after a long life.
            }
        }
        seen.append(&mut told.steps);
    }
    let table: BTreeSet<Step> = MACHINE.steps.iter().copied().collect();
    assert_eq!(seen, table);
}

/// Lives that are lived.
const LIVES: usize = 4_000;

/// Numbers that are the same in every run (Knuth's MMIX generator).
fn numbers(seed: u64) -> impl FnMut() -> usize {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    }
}
