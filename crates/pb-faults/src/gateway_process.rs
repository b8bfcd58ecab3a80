//! A gateway in a process of its own, so that its memory is its own and its panics are seen.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_gateway::Gateway;
use pb_runtime::{Clock, Endpoint, Home, Ids};
use tokio_util::sync::CancellationToken;

use crate::Tally;

/// How long it may take until it listens.
const START_MAX: Duration = Duration::from_secs(20);

/// It runs until it is ended or dropped.
#[derive(Debug)]
pub struct GatewayProcess {
    child: Child,
    address: SocketAddr,
    output: PathBuf,
}

/// Is the gateway of `home`, or of `PB_HOME`, on a free port, until the process is killed.
///
/// # Errors
/// It cannot start.
pub async fn be(home: Option<&Path>) -> anyhow::Result<()> {
    let home = match home {
        Some(home) => Home::at(home)?,
        None => Home::from_environment()?,
    };
    home.prepare()?;
    let config = pb_gateway::Config {
        host: "127.0.0.1".to_owned(),
        port: 0,
        debug_port: None,
        socket: home.gateway_socket(),
        state_db: home.state_db(),
        tools_are_confined: true,
        tls: None,
        names: Vec::new(),
        pending_connections: None,
        legacy_peers: false,
        web_dir: None,
        ids: Ids::random(Clock::System),
        clock: Clock::System,
        home,
    };
    Gateway::start(config).await?.run(CancellationToken::new()).await;
    Ok(())
}

impl GatewayProcess {
    /// Starts it and waits until it listens. `exe` is the suite's own program.
    ///
    /// # Errors
    /// It does not come up.
    #[expect(clippy::disallowed_methods, reason = "the suite's own child, which is no tool")]
    pub fn start(exe: &Path, home: &Home) -> anyhow::Result<Self> {
        let output = home.logs().join("gateway-process.log");
        let mut child = Command::new(exe)
            .args(["child", "gateway"])
            .arg(home.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&output)?)
            .spawn()
            .with_context(|| format!("cannot start {}", exe.display()))?;
        let began = Instant::now();
        loop {
            let endpoint = Endpoint::read(&home.gateway_json()).filter(|one| one.pid == child.id());
            if let Some(endpoint) = endpoint {
                return Ok(Self { child, address: endpoint.address, output });
            }
            if let Some(status) = child.try_wait()? {
                bail!("the gateway ended with {status}: {}", std::fs::read_to_string(&output)?);
            }
            if began.elapsed() > START_MAX {
                let _ = child.kill(); // It is of no use any more.
                bail!("the gateway does not come up");
            }
            std::thread::sleep(Duration::from_millis(2)); // wait: a file rings no bell
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its memory now.
    ///
    /// # Errors
    /// It is gone.
    pub fn rss_kib(&self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory that it ever had.
    ///
    /// # Errors
    /// It is gone.
    pub fn peak_kib(&self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, key: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)).context("the gateway is gone")?;
        let number = line.split_whitespace().next().context("no number")?;
        Ok(number.parse()?)
    }

    /// Ends it. That it had ended before, or panicked anywhere, is a failure.
    ///
    /// # Errors
    /// What it printed cannot be read.
    pub fn end(mut self, tally: &mut Tally) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            tally.fail(format_args!("the gateway ended by itself, with {status}"));
        }
        let output = std::fs::read_to_string(&self.output)?;
        for line in output.lines().filter(|line| line.contains("panicked at")) {
            tally.fail(format_args!("the gateway: {line}"));
        }
        Ok(())
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        // It has ended already if it was killed on purpose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
