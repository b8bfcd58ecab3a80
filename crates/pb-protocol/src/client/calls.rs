//! Calls that wait for a gateway which is away, and are repeated when the connection broke under them.

use std::sync::Arc;
use std::time::Duration;

use pb_runtime::{Clock, Ids};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::connection::{Connection, Events, REQUEST_TIMEOUT};
use super::dial::{Dialer, Find, Pauses};
use super::error::{Error, NotFound};
use super::subscription::Subscription;
use crate::methods::Method;
use crate::methods::events::SubscribeParams;

/// How long a gateway that holds its lock may take until it listens.
const STARTING_LIMIT: Duration = Duration::from_secs(10);

/// What to do about a gateway that is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Fail, unless it is just starting.
    None,
    /// Wait for it, for this long.
    Within(Duration),
}

/// What a client is made with.
#[derive(Clone)]
pub struct Config {
    /// Where the gateway is.
    pub find: Find,
    /// How long each call waits for it, and each subscription to be resumed.
    pub patience: Patience,
}

/// Calls methods of the gateway, on a connection that is made when it is needed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    dialer: Dialer,
    patience: Patience,
    /// The connection of the last call. Held while one is made, so that only one is.
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Patience {
    /// How long it lasts, where this is why the gateway cannot be reached.
    pub(super) fn limit(self, error: &Error) -> Duration {
        match (self, error) {
            (Self::Within(limit), _) => limit,
            (Self::None, Error::NotFound(NotFound::Starting)) => STARTING_LIMIT,
            (Self::None, _) => Duration::ZERO,
        }
    }

    /// How long it lasts at most.
    fn longest(self) -> Duration {
        match self {
            Self::Within(limit) => limit,
            Self::None => STARTING_LIMIT + REQUEST_TIMEOUT,
        }
    }
}

impl Client {
    /// Not connected yet.
    pub fn new(config: Config) -> Self {
        let dialer = Dialer::new(config.find, Ids::random(Clock::System));
        Self { dialer, patience: config.patience, connection: Arc::default() }
    }

    /// Calls a method. Waits for a gateway that is away, and repeats the call when the connection was
    /// lost under it, for as long as the client's patience lasts.
    ///
    /// What changes something is given an idempotency key, if it has none: however often it is repeated
    /// here, it is done once.
    ///
    /// # Errors
    /// The gateway refuses, or was not there in time; then the error says why it was not, last.
    pub async fn call<M: Method>(&self, params: &M::Params) -> Result<M::Result, Error> {
        self.patiently::<M>(params, self.patience).await
    }

    /// The same, for at most `limit`.
    pub async fn call_within<M: Method>(
        &self,
        params: &M::Params,
        limit: Duration,
    ) -> Result<M::Result, Error> {
        self.patiently::<M>(params, Patience::Within(limit)).await
    }

    /// Events, from where `params` ask on; the first connection is made by the first call of
    /// [`Subscription::next`].
    pub fn subscribe(&self, params: SubscribeParams) -> Subscription {
        Subscription::new(self.dialer.clone(), self.patience, params)
    }

    /// A connection of its own, for methods that concern a connection. Waits for a gateway that is away, for
    /// as long as the client's patience lasts. It is not made again when it is lost.
    ///
    /// # Errors
    /// The gateway was not there in time.
    pub async fn connect(&self) -> Result<(Connection, Events), Error> {
        let (began, mut pauses) = (Instant::now(), Pauses::default());
        loop {
            let error = match self.dialer.connect().await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            };
            let limit = self.patience.limit(&error);
            if !error.may_pass() || began.elapsed() >= limit {
                return Err(error);
            }
            self.dialer.pause(&mut pauses, began + limit).await;
        }
    }

    async fn patiently<M: Method>(&self, params: &M::Params, patience: Patience) -> Result<M::Result, Error> {
        let mut params = params.clone();
        M::make_repeatable(&mut params, || self.dialer.fresh_key());
        let (began, mut pauses) = (Instant::now(), Pauses::default());
        let deadline = began + patience.longest();
        loop {
            let error = match self.once::<M>(&params, (deadline, patience.longest())).await {
                Ok(result) => return Ok(result),
                Err(error) => error,
            };
            let limit = patience.limit(&error);
            if !error.may_pass() || began.elapsed() >= limit {
                return Err(error);
            }
            self.dialer.pause(&mut pauses, began + limit).await;
        }
    }

    /// Tries until the deadline, which is so far from the beginning of the call.
    async fn once<M: Method>(
        &self,
        params: &M::Params,
        (deadline, limit): (Instant, Duration),
    ) -> Result<M::Result, Error> {
        let connection = match timeout_at(deadline, self.connected()).await {
            Ok(connection) => connection?,
            Err(_) => return Err(Error::TimedOut(limit)),
        };
        let limit = REQUEST_TIMEOUT.min(deadline.saturating_duration_since(Instant::now()));
        let answer = connection.call_within::<M>(params, limit).await;
        if matches!(answer, Err(Error::TimedOut(REQUEST_TIMEOUT))) {
            // Whatever is at the other end, the next call is not to wait for it as well.
            self.connection.lock().await.take();
        }
        answer
    }

    async fn connected(&self) -> Result<Connection, Error> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = held.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = self.dialer.connect_for_calls().await?;
        Ok(held.insert(connection).clone())
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("patience", &self.patience).finish_non_exhaustive()
    }
}
