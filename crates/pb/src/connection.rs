//! A connection to the gateway that survives the gateway.
//!
//! A [`Link`] reads `run/gateway.json` anew each time it connects, because a gateway that was
//! started again may listen elsewhere. What it calls is repeated after a lost connection, so only
//! reads and commands with an idempotency key may go through it.

use std::time::{Duration, Instant};

use pb_protocol::Method;
use pb_protocol::client::{self, Client, Events, Incoming};
use pb_runtime::{Endpoint, Home, LockHolder, Tasks, token};
use tokio_tungstenite::tungstenite;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// First pause between two attempts; it doubles each time.
const PAUSE_FIRST: Duration = Duration::from_millis(20);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// A gateway that has not come back by then is the person's business.
const TELL_AFTER: Duration = Duration::from_secs(10);
/// How long one attempt after another is made.
const GIVE_UP_AFTER: Duration = Duration::from_mins(5);
/// How long a gateway that holds its lock may take until it listens.
const STARTING_LIMIT: Duration = Duration::from_secs(10);

/// What to do about a gateway that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Fail, unless it is just starting.
    None,
    /// Try for minutes, and tell the person.
    Minutes,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
enum ConnectError {
    #[error("the gateway is not running")]
    NotRunning,
    #[error("the gateway is starting")]
    Starting,
    #[error("cannot read {path}")]
    Token { path: String, source: std::io::Error },
    #[error(transparent)]
    Client(#[from] client::Error),
}

impl ConnectError {
    /// Whether trying again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::NotRunning | Self::Starting => true,
            Self::Token { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Self::Client(error) => is_lost(error),
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::NotRunning | ConnectError::Starting => {
                Self::new(Exit::Unavailable, error).hint("start both processes with: pb start")
            }
            ConnectError::Token { .. } => anyhow::Error::from(error).into(),
            ConnectError::Client(error) => error.into(),
        }
    }
}

/// Whether an error says that the connection is gone, and not what the gateway thinks.
fn is_lost(error: &client::Error) -> bool {
    match error {
        // It answered, in HTTP: it does not want us.
        client::Error::Connect { source, .. } => !matches!(**source, tungstenite::Error::Http(_)),
        client::Error::TimedOut(_) | client::Error::Closed => true,
        client::Error::Rpc(_) | client::Error::Protocol(_) => false,
    }
}

struct Session {
    client: Client,
    events: Events,
    /// Carries the frames; ends with the session.
    _driver: Tasks,
}

async fn connect(home: &Home) -> Result<Session, ConnectError> {
    // The lock first: an address in a file that nobody holds may be anybody's by now, and our
    // token is not for them.
    let holder = LockHolder::alive(&home.gateway_lock()).ok_or(ConnectError::NotRunning)?;
    let endpoint = Endpoint::read(&home.gateway_json())
        .filter(|endpoint| endpoint.pid == holder.pid)
        .ok_or(ConnectError::Starting)?;
    let path = home.token();
    let token = token::read(&path)
        .map_err(|source| ConnectError::Token { path: path.display().to_string(), source })?;
    let (client, events, driver) = client::connect(&endpoint.address.to_string(), Some(&token)).await?;
    let tasks = Tasks::new();
    tasks.spawn("connection", driver.run());
    Ok(Session { client, events, _driver: tasks })
}

/// A connection that is made when it is needed, and made again when it is lost.
pub(crate) struct Link<'h> {
    home: &'h Home,
    patience: Patience,
    session: Option<Session>,
    was_connected: bool,
}

impl<'h> Link<'h> {
    /// Not connected yet.
    pub(crate) fn new(home: &'h Home, patience: Patience) -> Self {
        Self { home, patience, session: None, was_connected: false }
    }

    /// The home whose gateway this is.
    pub(crate) fn home(&self) -> &Home {
        self.home
    }

    /// Calls a method, on a new connection if the old one is lost. Events that arrive meanwhile
    /// are dropped: subscribe again from the cursor after a call.
    pub(crate) async fn call<M: Method>(&mut self, params: &M::Params) -> Result<M::Result, Failure> {
        loop {
            let session = self.connected().await?;
            match call_on::<M>(session, params).await {
                Ok(result) => return Ok(result),
                Err(error) if is_lost(&error) && self.patience == Patience::Minutes => self.lose(),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next event of this connection; `None` when it is lost, and then it is time to subscribe again.
    pub(crate) async fn next_event(&mut self) -> Option<Incoming> {
        let next = match &mut self.session {
            Some(session) => session.events.next().await,
            None => None,
        };
        if next.is_none() {
            self.lose();
        }
        next
    }

    /// Gives the connection up.
    fn lose(&mut self) {
        if self.session.take().is_some() {
            output::note("the connection to the gateway is lost; connecting again");
        }
    }

    async fn connected(&mut self) -> Result<&mut Session, Failure> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect().await?,
        };
        Ok(self.session.insert(session))
    }

    async fn connect(&mut self) -> Result<Session, Failure> {
        let (began, mut pause, mut told) = (Instant::now(), PAUSE_FIRST, false);
        loop {
            let error = match connect(self.home).await {
                Ok(session) => {
                    if self.was_connected {
                        output::note("connected again");
                    }
                    self.was_connected = true;
                    return Ok(session);
                }
                Err(error) => error,
            };
            let patience = match (self.patience, &error) {
                (Patience::Minutes, _) => GIVE_UP_AFTER,
                (Patience::None, ConnectError::Starting) => STARTING_LIMIT,
                (Patience::None, _) => Duration::ZERO,
            };
            if !error.may_pass() || began.elapsed() >= patience {
                return Err(error.into());
            }
            if !told && began.elapsed() >= TELL_AFTER {
                output::note("the gateway does not answer; start it with: pb gateway start");
                told = true;
            }
            tokio::time::sleep(pause).await;
            pause = PAUSE_MAX.min(pause * 2);
        }
    }
}

/// Calls while taking events in, which would otherwise fill their queue and block the answer.
async fn call_on<M: Method>(session: &mut Session, params: &M::Params) -> Result<M::Result, client::Error> {
    let answer = session.client.call::<M>(params);
    tokio::pin!(answer);
    loop {
        tokio::select! {
            // The answer first: what follows it belongs to the subscription that it may have made.
            biased;
            answer = &mut answer => return answer,
            Some(_) = session.events.next() => {}
        }
    }
}
