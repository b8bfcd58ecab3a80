//! Which candidate is called, and what is done when it fails.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::{Answer, CallError, CallErrorKind, ChatModel, ChatRequest, Listener};

/// How long a model that was overloaded goes last, when it has not said when to try again.
pub const COOLDOWN_DEFAULT: Duration = Duration::from_secs(10);
/// Longest time that a model goes last.
pub const COOLDOWN_MAX: Duration = Duration::from_mins(1);

/// Models that better go last for a while. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Cooldown {
    until: Arc<Mutex<HashMap<String, Instant>>>,
    changed: Arc<Notify>,
}

impl Cooldown {
    /// Whether the model better goes last now.
    pub fn is_cooling(&self, model: &str) -> bool {
        self.models().get(model).is_some_and(|until| Instant::now() < *until)
    }

    /// The models that better go last now, and for how long still.
    pub fn cooling(&self) -> BTreeMap<String, Duration> {
        let now = Instant::now();
        let left = |until: &Instant| Some(until.duration_since(now)).filter(|left| !left.is_zero());
        self.models().iter().filter_map(|(model, until)| Some((model.clone(), left(until)?))).collect()
    }

    /// Waits until another model goes last, or one that did answered. For one who waits.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn failed(&self, error: &CallError) {
        match error.kind {
            CallErrorKind::RateLimited | CallErrorKind::Overloaded | CallErrorKind::Unreachable => {
                let wait = error.retry_after.unwrap_or(COOLDOWN_DEFAULT).min(COOLDOWN_MAX);
                self.models().insert(error.model.clone(), Instant::now() + wait);
                self.changed.notify_one();
            }
            CallErrorKind::Unauthorized
            | CallErrorKind::QuotaExhausted
            | CallErrorKind::ContextOverflow
            | CallErrorKind::Rejected
            | CallErrorKind::Cut
            | CallErrorKind::Silent => {}
        }
    }

    fn answered(&self, model: &str) {
        if self.models().remove(model).is_some() {
            self.changed.notify_one();
        }
    }

    fn models(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No candidate answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What each candidate that was called came to, in the order of the calls; empty when there
    /// was nobody to call.
    pub attempts: Vec<CallError>,
}

impl Failed {
    /// The attempt that says most: one that ended the call; else one that waiting may mend; else
    /// that of the preferred candidate.
    pub fn error(&self) -> Option<&CallError> {
        let ended = self.attempts.last().filter(|last| ends_the_call(last.kind));
        let retriable = || self.attempts.iter().find(|error| error.kind.is_retriable());
        ended.or_else(retriable).or_else(|| self.attempts.first())
    }

    /// Whether another try may help.
    pub fn is_retriable(&self) -> bool {
        self.error().is_some_and(|error| error.kind.is_retriable())
    }

    /// Whether a provider may have charged for it.
    pub fn may_be_charged(&self) -> bool {
        self.attempts.iter().any(|error| error.kind.may_be_charged())
    }

    /// The latest time to try again that a provider named.
    pub fn retry_after(&self) -> Option<Duration> {
        self.attempts.iter().filter_map(|error| error.retry_after).max()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(error) = self.error() else { return f.write_str("there is no model to call") };
        write!(f, "{error}")?;
        match self.attempts.len() {
            0 | 1 => Ok(()),
            2 => f.write_str(" (and another model failed)"),
            more => write!(f, " (and {} other models failed)", more - 1),
        }
    }
}

impl std::error::Error for Failed {}

/// Calls the first candidate that answers; those that cool down go last.
///
/// What has been charged for is not repeated: the caller has to reserve anew.
///
/// # Errors
/// Nobody answered, or an answer broke off, or the request is at fault.
pub async fn call(
    cooldown: &Cooldown,
    candidates: &[Arc<dyn ChatModel>],
    request: &ChatRequest,
    listener: Listener<'_>,
) -> Result<Answer, Failed> {
    let (cooling, ready): (Vec<_>, Vec<_>) =
        candidates.iter().partition(|candidate| cooldown.is_cooling(candidate.name()));
    let mut attempts = Vec::new();
    for candidate in ready.into_iter().chain(cooling) {
        match candidate.call(request, &mut *listener).await {
            Ok(answer) => {
                cooldown.answered(candidate.name());
                return Ok(answer);
            }
            Err(error) => {
                tracing::info!(model = error.model, kind = ?error.kind, "a call failed: {}", error.message);
                cooldown.failed(&error);
                let ends = ends_the_call(error.kind);
                attempts.push(error);
                if ends {
                    break;
                }
            }
        }
    }
    Err(Failed { attempts })
}

/// Whether no other candidate is tried: it may have been charged, or the request is at fault.
fn ends_the_call(kind: CallErrorKind) -> bool {
    match kind {
        CallErrorKind::Cut
        | CallErrorKind::Silent
        | CallErrorKind::ContextOverflow
        | CallErrorKind::Rejected => true,
        CallErrorKind::Unreachable
        | CallErrorKind::RateLimited
        | CallErrorKind::Overloaded
        | CallErrorKind::Unauthorized
        | CallErrorKind::QuotaExhausted => false,
    }
}
