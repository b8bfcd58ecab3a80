//! Somebody who behaves, beside those who do not: is answered soon, whatever they do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Client, tell, within};

/// Within what an answer comes to who behaves. The limit is three times that (`durability.md` §8).
const STATED: Duration = Duration::from_secs(1);

/// It asks, one request after the other, until it is asked how that went.
#[derive(Debug)]
pub(crate) struct Beside {
    over: Arc<AtomicBool>,
    asking: JoinSet<(u32, Duration)>,
}

impl Beside {
    /// Connects, and begins to ask.
    pub(crate) async fn start(address: SocketAddr) -> Self {
        let mut client = Client::connect(address).await;
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let mut asking = JoinSet::new();
        asking.spawn(async move {
            let (mut asked, mut slowest) = (0, Duration::ZERO);
            while asked == 0 || !until.load(Ordering::Relaxed) {
                slowest = slowest.max(answered(&mut client).await);
                asked += 1;
                tokio::time::sleep(Duration::from_millis(2)).await; // wait: the pace of one who behaves
            }
            (asked, slowest)
        });
        Self { over, asking }
    }

    /// Ends it. Every answer must have come in time.
    pub(crate) async fn finish(mut self) {
        self.over.store(true, Ordering::Relaxed);
        let (asked, slowest) = within("who behaves", self.asking.join_next()).await.unwrap().unwrap();
        tell(format_args!(
            "who behaves was answered {asked} times, at the latest after {slowest:?}; stated: {STATED:?}"
        ));
        assert!(slowest <= 3 * STATED, "who behaves waited {slowest:?} for one of {asked} answers");
    }
}

/// Asks once; how long the answer took.
async fn answered(client: &mut Client) -> Duration {
    let began = Instant::now();
    client.ping().await;
    began.elapsed()
}

/// Asks once, and expects the answer in time.
pub(crate) async fn answered_in_time(client: &mut Client) {
    let took = answered(client).await;
    assert!(took <= 3 * STATED, "who behaves waited {took:?}");
}
