//! A server with a thread of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::serve::ListenerExt;
use tokio::sync::oneshot;

use super::answer;
use super::request::Wire;
use super::script::Script;
use super::state::{Arrival, Captured, Shared};

/// Longest wait for a request that is to be held.
const HELD_WAIT_MAX: Duration = Duration::from_secs(30);

/// A scripted model on loopback. It needs no key, and stops when it is dropped.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ModelServer {
    /// Starts on any free port.
    ///
    /// # Errors
    /// There is no port, thread or runtime for it.
    pub fn start(script: Script) -> anyhow::Result<Self> {
        Self::start_on(0, script)
    }

    /// Starts on this port; 0 is any free one.
    ///
    /// # Errors
    /// The port is taken, or there is no thread or runtime for it.
    pub fn start_on(port: u16, script: Script) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("cannot listen on port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(script));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = answer::router(Arc::clone(&shared));
        let serve = async move {
            // Every chunk leaves at once, as the test expects it to.
            let listener =
                tokio::net::TcpListener::from_std(listener)?.tap_io(|io| drop(io.set_nodelay(true)));
            tokio::select! {
                ended = axum::serve(listener, router) => ended,
                _ = stopped => Ok(()),
            }
        };
        let thread = std::thread::Builder::new().name("scripted-model".to_owned()).spawn(move || {
            // It fails only if there is no runtime; then every request of the test fails as well.
            let _ = runtime.block_on(serve);
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client of this wire format is given as its base, with a slash at the end.
    pub fn base_url(&self, wire: Wire) -> String {
        let version = match wire {
            Wire::OpenAi | Wire::Anthropic => "v1",
            Wire::Gemini => "v1beta",
        };
        format!("http://{}/{version}/", self.address)
    }

    /// Tokens of all replies that were given so far, as they report them: also of those whose end nobody
    /// heard, but not of refusals. What a vendor would put on the bill.
    pub fn counted_tokens(&self) -> u64 {
        self.shared.counted_tokens()
    }

    /// The requests for an answer so far: the latest 10,000 or 64 MiB.
    pub fn requests(&self) -> Vec<Captured> {
        self.shared.captured()
    }

    /// Tells of each request from now on. The last who asked is told; 10,000 wait for who is slow.
    pub fn arrivals(&self) -> mpsc::Receiver<Arrival> {
        self.shared.arrivals()
    }

    /// Blocks until so many requests came since the start, and returns them.
    ///
    /// # Errors
    /// They do not come in time.
    pub fn wait_for(&self, requests: usize, timeout: Duration) -> anyhow::Result<Vec<Captured>> {
        if !self.shared.wait_for(requests, timeout) {
            bail!("{} of {requests} requests came in {timeout:?}", self.requests().len());
        }
        Ok(self.requests())
    }

    /// Says something else from now on. Which request is the first of its kind starts afresh.
    pub fn set_script(&self, script: Script) {
        self.shared.set_script(script);
    }

    /// Blocks until a request waits for this name to be released, 30 seconds at most. In async code:
    /// from `spawn_blocking`.
    ///
    /// # Errors
    /// None does.
    pub fn wait_until_held(&self, name: &str) -> anyhow::Result<()> {
        if !self.shared.wait_until_held(name, HELD_WAIT_MAX) {
            bail!("no request was held by `{name}` in {HELD_WAIT_MAX:?}");
        }
        Ok(())
    }

    /// Answers what is held by this name; from now on it holds nobody.
    pub fn release(&self, name: &str) {
        self.shared.release(name);
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // It panicked: the test has seen that its requests fail.
        }
    }
}
