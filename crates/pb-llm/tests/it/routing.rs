//! Who is called when somebody fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use pb_llm::router::{COOLDOWN_DEFAULT, COOLDOWN_MAX};
use pb_llm::{
    Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Cooldown, Failed, Finish, Listener, Price,
    Said, call,
};

use crate::support::ask;

/// Why a model fails, and when it says to try again; `None` answers.
type Outcome = Option<(CallErrorKind, Option<Duration>)>;

/// A model that comes to the same each time, and what was called of all, in order.
#[derive(Debug)]
struct Scripted {
    name: &'static str,
    outcome: Outcome,
    called: Arc<Mutex<Vec<&'static str>>>,
}

impl ChatModel for Scripted {
    fn name(&self) -> &str {
        self.name
    }

    fn price(&self) -> Option<Price> {
        None
    }

    fn context_tokens(&self) -> u64 {
        128_000
    }

    fn call<'a>(&'a self, _: &'a ChatRequest, _: Listener<'a>) -> BoxFuture<'a, Result<Answer, CallError>> {
        self.called.lock().unwrap().push(self.name);
        let outcome = match self.outcome {
            None => Ok(Answer {
                said: Said::default(),
                finish: Finish::Stop,
                usage: None,
                model: self.name.to_owned(),
            }),
            Some((kind, retry_after)) => {
                Err(CallError {
                    model: self.name.to_owned(), kind, message: "不行".to_owned(), retry_after
                })
            }
        };
        Box::pin(std::future::ready(outcome))
    }
}

#[derive(Default)]
struct Table {
    cooldown: Cooldown,
    called: Arc<Mutex<Vec<&'static str>>>,
}

impl Table {
    async fn call(&self, models: &[(&'static str, Outcome)]) -> Result<String, Failed> {
        self.called.lock().unwrap().clear();
        let scripted = models.iter().map(|(name, outcome)| {
            let called = self.called.clone();
            Arc::new(Scripted { name, outcome: *outcome, called }) as Arc<dyn ChatModel>
        });
        let candidates: Vec<_> = scripted.collect();
        let answer = call(&self.cooldown, &candidates, &ask("你好"), &mut |_| {}).await;
        answer.map(|answer| answer.model)
    }

    fn called(&self) -> Vec<&'static str> {
        self.called.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_next_candidate_is_called_unless_somebody_was_charged() {
    use CallErrorKind::{
        ContextOverflow, Cut, Overloaded, QuotaExhausted, RateLimited, Rejected, Silent, Unauthorized,
        Unreachable,
    };
    for (kind, goes_on) in [
        (Unreachable, true),
        (RateLimited, true),
        (Overloaded, true),
        (Unauthorized, true),
        (QuotaExhausted, true),
        (ContextOverflow, false),
        (Rejected, false),
        (Cut, false),
        (Silent, false),
    ] {
        let table = Table::default();
        let outcome = table.call(&[("a/1", Some((kind, None))), ("b/2", None)]).await;
        if goes_on {
            assert_eq!(outcome.unwrap(), "b/2", "{kind:?}");
            assert_eq!(table.called(), ["a/1", "b/2"]);
        } else {
            let failed = outcome.unwrap_err();
            assert_eq!((failed.attempts.len(), failed.error().unwrap().kind), (1, kind));
            assert_eq!(failed.may_be_charged(), kind.may_be_charged());
            assert_eq!(failed.to_string(), "a/1: 不行");
            assert_eq!(table.called(), ["a/1"]);
        }
    }
}

#[tokio::test]
async fn the_most_telling_failure_is_shown() {
    let seconds = |n| Some(Duration::from_secs(n));
    let table = Table::default();
    let models = [
        ("a/1", Some((CallErrorKind::Unauthorized, None))),
        ("b/2", Some((CallErrorKind::RateLimited, seconds(30)))),
        ("c/3", Some((CallErrorKind::Overloaded, seconds(5)))),
    ];
    let failed = table.call(&models).await.unwrap_err();
    assert_eq!(failed.to_string(), "b/2: 不行 (and 2 other models failed)");
    assert_eq!((failed.retry_after(), failed.is_retriable()), (seconds(30), true));

    let failed = table.call(&models[..1]).await.unwrap_err();
    assert_eq!((failed.error().unwrap().kind, failed.is_retriable()), (CallErrorKind::Unauthorized, false));

    let failed = table.call(&[models[0], ("d/4", Some((CallErrorKind::Cut, None)))]).await.unwrap_err();
    assert_eq!(failed.to_string(), "d/4: 不行 (and another model failed)");

    let failed = table.call(&[]).await.unwrap_err();
    assert_eq!((failed.to_string().as_str(), failed.is_retriable()), ("there is no model to call", false));
}

#[tokio::test(start_paused = true)]
async fn a_model_that_was_overloaded_goes_last_for_a_while() {
    for (wait, expect) in [
        (None, COOLDOWN_DEFAULT),
        (Some(Duration::from_secs(3)), Duration::from_secs(3)),
        (Some(Duration::from_hours(1)), COOLDOWN_MAX),
    ] {
        let table = Table::default();
        let overloaded = [("a/1", Some((CallErrorKind::Overloaded, wait))), ("b/2", None)];
        let well = [("a/1", None), ("b/2", None)];
        table.call(&overloaded).await.unwrap();
        assert_eq!(table.called(), ["a/1", "b/2"]);

        tokio::time::advance(expect.mul_f64(0.99)).await;
        assert_eq!(table.call(&well).await.unwrap(), "b/2");
        assert!(table.cooldown.is_cooling("a/1"));
        // It is called all the same when the others fail.
        let others_fail = [("a/1", None), ("b/2", Some((CallErrorKind::Unauthorized, None)))];
        assert_eq!(table.call(&others_fail).await.unwrap(), "a/1");
        assert_eq!(table.called(), ["b/2", "a/1"]);
        assert!(!table.cooldown.is_cooling("a/1"), "it answered");

        table.call(&overloaded).await.unwrap();
        tokio::time::advance(expect).await;
        assert_eq!(table.call(&well).await.unwrap(), "a/1");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_of_each_model_that_begins_to_go_last_and_of_each_that_answers_again() {
    let table = Table::default();
    let names = || table.cooldown.cooling().into_keys().collect::<Vec<_>>();
    assert_eq!(names(), Vec::<String>::new());
    assert!(
        tokio::time::timeout(Duration::from_secs(1), table.cooldown.changed()).await.is_err(),
        "nothing did"
    );
    table.call(&[("a/1", Some((CallErrorKind::Overloaded, None))), ("b/2", None)]).await.unwrap();
    table.cooldown.changed().await;
    assert_eq!(table.cooldown.cooling(), [("a/1".to_owned(), COOLDOWN_DEFAULT)].into());
    table.call(&[("a/1", None)]).await.unwrap();
    table.cooldown.changed().await;
    assert_eq!(names(), Vec::<String>::new());

    table.call(&[("a/1", Some((CallErrorKind::Unreachable, None))), ("b/2", None)]).await.unwrap();
    tokio::time::advance(COOLDOWN_DEFAULT).await;
    assert_eq!(names(), Vec::<String>::new(), "its time is over");
}
