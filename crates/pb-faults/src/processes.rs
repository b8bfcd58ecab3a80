//! Processes under test: started, killed as by `kill -9`, and gone when they are dropped.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pb_runtime::faultpoints::{self, PLANTED_BUG};
use pb_runtime::{Endpoint, Home};
use rustix::process::{Pid, Signal, kill_process};

use crate::Run;

/// How long a process may take until it serves; one that needs longer hangs.
pub const READY_MAX: Duration = Duration::from_secs(30);
/// Pause between two looks at another process, which rings no bell.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// A process that was started here.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts `program` with this home; what it prints is added to `NAME.log` beside the home.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start<I>(name: &'static str, program: &Path, arguments: I, home: &Home) -> anyhow::Result<Self>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        Self::start_with(name, program, arguments, home, None)
    }

    /// The same with more variables in its environment.
    ///
    /// # Errors
    /// It cannot be started.
    #[expect(clippy::disallowed_methods, reason = "the suite is the person who starts and kills processes")]
    pub fn start_with<I>(
        name: &'static str,
        program: &Path,
        arguments: I,
        home: &Home,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> anyhow::Result<Self>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let output = open_log(name, home)?;
        let child = Command::new(program)
            .args(arguments)
            .envs(faultpoints::planted_here().map(|bug| (PLANTED_BUG, bug.as_str())))
            .envs(variables)
            .env("PB_HOME", home.root())
            .env("PB_PORT", "0")
            // What else runs on this machine is no model of the suite.
            .env("PB_LOCAL_MODEL_PORTS", "none")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { name, child })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(pid, signal).with_context(|| format!("cannot signal the {}", self.name))
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn kill9(mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("cannot kill the {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for the {}", self.name))?;
        Ok(())
    }

    /// Whether it has ended, and with what.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn ended(&mut self) -> anyhow::Result<Option<std::process::ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot look at the {}", self.name))
    }

    /// Waits until `look` finds what shows that it serves, and gives how long that took.
    ///
    /// # Errors
    /// It ended before, or took longer than [`READY_MAX`].
    pub fn ready(&mut self, mut look: impl FnMut(u32) -> bool) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while !look(self.pid()) {
            if let Some(status) = self.ended()? {
                bail!("the {} ended with {status} before it served", self.name);
            }
            if began.elapsed() > READY_MAX {
                bail!("the {} did not serve within {} s", self.name, READY_MAX.as_secs());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
        Ok(began.elapsed())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that was killed or has ended is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn open_log(name: &str, home: &Home) -> anyhow::Result<File> {
    let path = log_of(name, home);
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))
}

fn log_of(name: &str, home: &Home) -> PathBuf {
    home.root().with_extension(name).with_extension("log")
}

/// A home below the run's folder, with its folders made.
///
/// # Errors
/// It cannot be made.
pub fn home(run: &Run, name: &str) -> anyhow::Result<Home> {
    let home = Home::at(&run.folder.join(name))?;
    home.prepare()?;
    Ok(home)
}

/// Starts a gateway on a free port: the `pb` under test, or without one the library in a child.
///
/// # Errors
/// It cannot be started.
pub fn gateway(run: &Run, home: &Home) -> anyhow::Result<Process> {
    match &run.pb {
        Some(pb) => Process::start("gateway", pb, ["gateway", "start", "--foreground"], home),
        None => Process::start("gateway", &run.exe, ["child", "gateway"], home),
    }
}

/// Waits until the gateway listens, and gives how long that took.
///
/// # Errors
/// As [`Process::ready`].
pub fn gateway_ready(gateway: &mut Process, home: &Home) -> anyhow::Result<Duration> {
    let listens = |pid| Endpoint::read(&home.gateway_json()).is_some_and(|there| there.pid == pid);
    gateway.ready(listens)
}

/// Waits until a process of `pb` prints that it is ready, and gives how long that took.
///
/// # Errors
/// As [`Process::ready`].
pub fn says_ready(process: &mut Process, home: &Home) -> anyhow::Result<Duration> {
    let log = log_of(process.name, home);
    process.ready(|pid| {
        let said = std::fs::read_to_string(&log).unwrap_or_default(); // It has said nothing yet.
        said.contains(&format!("is ready (pid {pid})"))
    })
}

/// Raises the limit of descriptors of this process, and so of its children, to what the system allows.
///
/// # Errors
/// The system allows fewer than `wanted`.
pub fn allow_descriptors(wanted: u64) -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    let allowed = limits.maximum.unwrap_or(u64::MAX);
    if allowed < wanted {
        bail!("{wanted} descriptors are needed, the system allows {allowed}; raise `ulimit -Hn`");
    }
    if limits.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limits.maximum })
            .context("cannot raise the limit of descriptors")?;
    }
    Ok(())
}
