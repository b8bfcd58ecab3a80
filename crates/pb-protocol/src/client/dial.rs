//! Finding the gateway and connecting to it, again and again if need be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pb_runtime::{Ids, Tasks};
use tokio::time::Instant;

use super::connection::{self, Connection, Driver, Events};
use super::error::{Error, NotFound};

/// First pause between two attempts; it doubles each time.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// Longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// After how long without a call the connection for calls is closed. A session that does not subscribe is
/// sent the events of every goal.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Where the gateway is, and what shows that we may talk to it.
#[derive(Clone)]
pub struct Place {
    /// `host:port`.
    pub address: String,
    /// The token, if there is one.
    pub token: Option<String>,
}

/// Tells where the gateway is. Asked before each attempt: one that was started again may listen elsewhere.
pub type Find = Arc<dyn Fn() -> Result<Place, NotFound> + Send + Sync>;

/// Connects to whatever gateway there is.
#[derive(Clone)]
pub(super) struct Dialer {
    find: Find,
    ids: Ids,
}

/// The pauses between attempts.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    attempts: u32,
}

impl Dialer {
    pub(super) fn new(find: Find, ids: Ids) -> Self {
        Self { find, ids }
    }

    /// A key that nobody used before.
    pub(super) fn fresh_key(&self) -> String {
        self.ids.uuid().to_string()
    }

    /// Tries once. The connection's task ends with the connection.
    pub(super) async fn connect(&self) -> Result<(Connection, Events), Error> {
        let (connection, events, driver) = self.dial().await?;
        Tasks::new().spawn("connection", driver.run());
        Ok((connection, events))
    }

    /// Tries once, for calls only: what comes without being asked for is dropped.
    pub(super) async fn connect_for_calls(&self) -> Result<Connection, Error> {
        let (connection, _, driver) = self.dial().await?;
        Tasks::new().spawn("connection", driver.closed_when_idle(IDLE_MAX).run());
        Ok(connection)
    }

    async fn dial(&self) -> Result<(Connection, Events, Driver), Error> {
        let place = (self.find)()?;
        connection::connect(&place.address, place.token.as_deref()).await
    }

    /// Waits before the next attempt, and not beyond `deadline`.
    pub(super) async fn pause(&self, pauses: &mut Pauses, deadline: Instant) {
        let until = Instant::now() + pauses.next(self.ids.number());
        tokio::time::sleep_until(until.min(deadline)).await;
    }
}

impl Pauses {
    /// The next one: between half of what it may be and all of it, so that many clients of one gateway
    /// do not come back in the same moment.
    fn next(&mut self, random: u64) -> Duration {
        let longest = PAUSE_MAX.min(PAUSE_FIRST * 2_u32.saturating_pow(self.attempts.min(16)));
        self.attempts = self.attempts.saturating_add(1);
        let half = longest / 2;
        let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        half + Duration::from_micros(random % micros.saturating_add(1))
    }
}

impl fmt::Debug for Place {
    /// Without the token, which is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_50_ms_to_2_s_and_are_never_the_same_for_all() {
        let millis = |random| {
            let mut pauses = Pauses::default();
            (0..8).map(|_| pauses.next(random).as_millis()).collect::<Vec<_>>()
        };
        assert_eq!(millis(0), [25, 50, 100, 200, 400, 800, 1000, 1000]);
        let all: Vec<_> = (0..1000_u64).map(|n| millis(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let longest = [50, 100, 200, 400, 800, 1600, 2000, 2000];
        assert!(all.iter().flat_map(|one| one.iter().zip(longest)).all(|(pause, most)| *pause <= most));
        assert!(all.iter().any(|one| one.last() > Some(&1900)));
    }

    #[test]
    fn a_token_is_not_shown() {
        let place = Place { address: "127.0.0.1:1".to_owned(), token: Some("secret".to_owned()) };
        assert_eq!(format!("{place:?}"), r#"Place { address: "127.0.0.1:1", .. }"#);
    }
}
