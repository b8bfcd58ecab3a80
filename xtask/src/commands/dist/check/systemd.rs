//! A systemd of the check's own, as each person has one: in a mount namespace and a control group of its own, so
//! that neither the machine's nor the person's hears of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{install, process};

/// Where every distribution has it.
const SYSTEMD: &str = "/lib/systemd/systemd";
/// Where processes are counted: version 1 beside version 2, or version 2 alone.
const HIERARCHIES: [&str; 3] = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
/// A file of every folder there, which takes the processes that are to be in it.
const MEMBERS: &str = "cgroup.procs";
/// Puts itself into the groups that it is given, makes the machine look as if systemd had booted it, and is systemd.
const BEGIN: &str = "\
for group do echo $$ > \"$group/cgroup.procs\" || exit 1; done
mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec /lib/systemd/systemd --user";

/// How long anything of it may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running systemd. Dropped, it leaves no process behind.
#[derive(Debug)]
pub(super) struct Systemd {
    child: Child,
    groups: Vec<PathBuf>,
    variables: Vec<(&'static str, PathBuf)>,
}

/// Why there can be none here, if so.
pub(super) fn obstacle() -> Option<String> {
    for program in ["unshare", "nsenter", "systemctl"] {
        if install::on_path(program).is_none() {
            return Some(format!("there is no {program}"));
        }
    }
    if !Path::new(SYSTEMD).exists() {
        return Some(format!("there is no {SYSTEMD}"));
    }
    let is_root = process::printed(process::command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    (!is_root).then(|| "it takes root to start one beside that of the machine".to_owned())
}

impl Systemd {
    /// Starts one whose person has these variables, and waits until it serves.
    ///
    /// # Errors
    /// It does not start.
    pub(super) fn start(
        mut variables: Vec<(&'static str, PathBuf)>,
        runtime: PathBuf,
    ) -> anyhow::Result<Self> {
        variables.push(("XDG_RUNTIME_DIR", runtime));
        let mut groups = Vec::new();
        for hierarchy in HIERARCHIES.map(Path::new).into_iter().filter(|one| one.join(MEMBERS).exists()) {
            let group = hierarchy.join(format!("pb-dist-{}", std::process::id()));
            fs::create_dir(&group).with_context(|| format!("cannot make {}", group.display()))?;
            groups.push(group);
        }
        let mut begin = process::command("unshare");
        begin.args(["--mount", "sh", "-c", BEGIN, "sh"]).args(&groups);
        alone(&mut begin, &variables).env("SYSTEMD_LOG_TARGET", "console");
        begin.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = begin.spawn().context("cannot run unshare")?;
        let systemd = Self { child, groups, variables };
        wait_until("systemd serves", || {
            systemd.told(&["systemctl", "--user", "is-system-running"]).is_ok_and(|told| told == "running")
        })?;
        Ok(systemd)
    }

    /// What a program prints that its person starts.
    ///
    /// # Errors
    /// It fails.
    pub(super) fn told(&self, words: &[&str]) -> anyhow::Result<String> {
        let mut enter = process::command("nsenter");
        enter.args(["--target", &self.child.id().to_string(), "--mount", "--"]).args(words);
        Ok(process::printed(alone(&mut enter, &self.variables))?.trim().to_owned())
    }
}

/// Waits for it.
///
/// # Errors
/// It takes too long.
pub(super) fn wait_until(what: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > LIMIT {
            bail!("waited {} s in vain until {what}", LIMIT.as_secs());
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// With these variables and no others.
fn alone<'c>(command: &'c mut Command, variables: &[(&'static str, PathBuf)]) -> &'c mut Command {
    command
        .env_clear()
        .env("PATH", super::trial::PATH)
        .envs(variables.iter().map(|(name, value)| (name, value)))
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // It stops what it runs, and ends.
        process::succeeds(process::command("kill").arg(self.child.id().to_string()));
        let began = Instant::now();
        while began.elapsed() < LIMIT && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(LOOK_AGAIN);
        }
        // Everything has ended, unless something of it hangs.
        for group in &self.groups {
            kill(group);
        }
        let _ = self.child.wait();
        for group in &self.groups {
            remove(group);
        }
    }
}

/// Kills what is in a control group and in those below it.
fn kill(group: &Path) {
    let members = fs::read_to_string(group.join(MEMBERS)).unwrap_or_default();
    if !members.is_empty() {
        process::succeeds(process::command("kill").arg("-KILL").args(members.lines()));
    }
    for below in folders(group) {
        kill(&below);
    }
}

fn folders(group: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

/// Removes a control group with those below it; what is still in use stays.
fn remove(group: &Path) {
    for below in folders(group) {
        remove(&below);
    }
    let _ = fs::remove_dir(group); // Somebody else's process is in it.
}
