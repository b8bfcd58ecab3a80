//! The unit of the service, as systemd itself reads it; and the words of the first version.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::env::TestEnv;
use crate::life::WAITS;
use crate::tools::systemd_analyze;

/// A folder with a name in which everything needs quoting.
const ODD: &str = "家 1 50%h $HOME \"q\" it's \\n";
/// Who runs systemd where the test is root: as root it takes itself for the machine's.
const NOBODY: u32 = 65534;
/// What a scheduler waits for its steps at least, when it is just asked to stop.
const DRAIN: Duration = Duration::from_secs(15);
/// Where the packages of every distribution have systemd itself.
const SYSTEMD: &str = "/lib/systemd/systemd";

/// A person with a systemd of their own that notes down what it is asked, in `asked`, and does nothing.
fn with_systemd() -> TestEnv {
    let mut env = TestEnv::new();
    let programs = env.root().join("programs");
    fs::create_dir(&programs).unwrap();
    let asked = env.root().join("asked");
    for (name, answer) in
        [("systemctl", "[ \"$2\" != is-active ] && [ ! -e \"$0.$2\" ]"), ("loginctl", "echo no")]
    {
        let path = programs.join(name);
        let script = format!("#!/bin/sh\necho \"{name} $*\" >> '{}'\n{answer}\n", asked.display());
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    env.variables.push(("PATH", format!("{}:/usr/bin:/bin", programs.display())));
    env
}

/// What systemd was asked since the last look, and whether somebody lingers is left out.
fn asked(env: &TestEnv) -> Vec<String> {
    let path = env.root().join("asked");
    let told = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(&path); // Nothing was asked.
    told.lines().filter_map(|line| line.strip_prefix("systemctl --user ")).map(str::to_owned).collect()
}

fn unit(env: &TestEnv) -> PathBuf {
    env.user().join(".config/systemd/user/ponybunny.service")
}

/// Runs one of systemd's programs for a person who has nothing but this test's folder.
#[expect(clippy::disallowed_methods, reason = "systemd's own programs read what we wrote, and end")]
fn systemd(env: &TestEnv, program: &Path, words: &[&str], units: &Path) -> Output {
    let run = env.root().join("run");
    fs::create_dir_all(&run).unwrap();
    fs::set_permissions(env.root(), Permissions::from_mode(0o755)).unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        chown(&run, Some(NOBODY), None).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &NOBODY.to_string(), "--clear-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .args(words)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &run)
        .env("XDG_RUNTIME_DIR", &run)
        .env("SYSTEMD_LOG_TARGET", "console")
        // With what there is on the machine after them.
        .env("SYSTEMD_UNIT_PATH", format!("{}:", units.display()))
        .output()
        .unwrap()
}

/// A copy of the unit that anybody may read, as the person's folder is private.
fn copied(env: &TestEnv, unit: &Path) -> PathBuf {
    let folder = env.root().join("units");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(unit, folder.join("ponybunny.service")).unwrap();
    folder
}

#[test]
fn what_is_written_is_what_systemd_reads() {
    let mut env = with_systemd();
    let home = env.root().join(ODD);
    env.variables.push(("PB_HOME", home.display().to_string()));
    env.variables.push(("XDG_CONFIG_HOME", env.root().join("settings").display().to_string()));
    let ran = env.pb(["service", "install"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let written = env.root().join("settings/systemd/user/ponybunny.service");
    let units = copied(&env, &written);
    assert!(!home.exists(), "a home is made by who starts in it");

    let Some(analyze) = systemd_analyze() else { return };
    let copy = units.join("ponybunny.service");
    let verify = ["verify", "--user", "--man=no", copy.to_str().unwrap()];
    let verified = systemd(&env, &analyze, &verify, &units);
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.trim().is_empty(), "{said}");

    let words = ["--test", "--user", "--unit=ponybunny.service"];
    let dump = systemd(&env, Path::new(SYSTEMD), &words, &units);
    let dump = String::from_utf8_lossy(&dump.stdout).into_owned() + &String::from_utf8_lossy(&dump.stderr);
    let about = dump.split("-> Unit ").find(|about| about.starts_with("ponybunny.service:"));
    let about = about.unwrap_or_else(|| panic!("{dump}"));
    let line = |name: &str| {
        let found = about.lines().find_map(|line| line.trim().strip_prefix(name));
        found.unwrap_or_else(|| panic!("no {name} in {about}")).trim().to_owned()
    };
    assert_eq!(line("Environment:"), format!("PB_HOME={}", home.display()));
    assert_eq!(line("Command Line:"), format!("{} supervise", env!("CARGO_BIN_EXE_pb")));
    let read = ["NotifyAccess:", "WatchdogSec:", "Restart:", "KillMode:", "OOMPolicy:"].map(line);
    assert_eq!(read, ["main", "30s", "on-failure", "mixed", "continue"]);
}

#[test]
fn a_unit_is_written_and_started_and_removed() {
    let env = with_systemd();
    let dry = env.pb(["service", "install", "--dry-run"]);
    assert_eq!((dry.exit, unit(&env).exists(), asked(&env)), (Some(0), false, vec![]), "{dry}");

    assert_snapshot!(env.pb(["service", "install"]), @"
    exit: 0
    --- stderr
    wrote [root]/user/.config/systemd/user/ponybunny.service
    to start it, now and at each login: systemctl --user enable --now ponybunny
    the service does not see the variables of this shell: add Environment=PB_PORT=… with: systemctl --user edit ponybunny
    it stops when you log out; to have it go on: loginctl enable-linger
    ");
    assert_eq!(asked(&env), ["daemon-reload"]);
    assert_eq!(fs::read_to_string(unit(&env)).unwrap(), dry.raw_stdout);
    assert_snapshot!(env.pb(["service", "install", "--now"]), @"
    exit: 0
    --- stderr
    [root]/user/.config/systemd/user/ponybunny.service is there already
    started ponybunny.service; from now on it starts when you log in
    the service does not see the variables of this shell: add Environment=PB_PORT=… with: systemctl --user edit ponybunny
    it stops when you log out; to have it go on: loginctl enable-linger
    ");
    assert_eq!(
        asked(&env),
        ["daemon-reload", "is-active --quiet ponybunny.service", "enable --quiet --now ponybunny.service"]
    );

    // A service that systemd does not get to run.
    fs::write(env.root().join("programs/systemctl.enable"), "").unwrap();
    let failed = env.pb(["service", "install", "--now"]);
    assert_snapshot!(failed, @"
    exit: 69
    --- stderr
    [root]/user/.config/systemd/user/ponybunny.service is there already
    error: the service does not start (systemctl: exit status: 1)
    hint: see why with: systemctl --user status ponybunny, and: pb logs
    ");
    asked(&env);

    let wanted = unit(&env).with_file_name("default.target.wants");
    fs::create_dir(&wanted).unwrap();
    symlink(unit(&env), wanted.join("ponybunny.service")).unwrap();
    fs::create_dir_all(env.home()).unwrap();
    assert_snapshot!(env.pb(["service", "uninstall"]), @"
    exit: 0
    --- stderr
    stopped the service, and removed [root]/user/.config/systemd/user/ponybunny.service
    your goals and settings stay: [root]/home
    ");
    assert_eq!(asked(&env), ["disable --quiet --now ponybunny.service", "daemon-reload"]);
    assert!(env.home().is_dir() && !unit(&env).exists());
    assert_eq!(fs::read_dir(wanted).unwrap().count(), 0);
    assert_snapshot!(env.pb(["service", "uninstall"]), @"
    exit: 0
    --- stderr
    no service is installed: there is no [root]/user/.config/systemd/user/ponybunny.service
    ");
    assert_eq!(asked(&env), [] as [&str; 0]);
}

#[test]
fn what_somebody_edited_is_left_alone_unless_they_say_otherwise() {
    let mut env = with_systemd();
    assert_eq!(env.pb(["service", "install"]).exit, Some(0));
    let ours = fs::read_to_string(unit(&env)).unwrap();
    fs::write(unit(&env), format!("{ours}# mine\n")).unwrap();
    assert_snapshot!(env.pb(["service", "install"]), @"
    exit: 77
    --- stderr
    error: [root]/user/.config/systemd/user/ponybunny.service is not as `pb service install` wrote it
    hint: keep your settings with `systemctl --user edit ponybunny`, then: pb service install --force
    ");
    assert_snapshot!(env.pb(["service", "uninstall"]), @"
    exit: 77
    --- stderr
    error: [root]/user/.config/systemd/user/ponybunny.service is not as `pb service install` wrote it
    hint: keep your settings with `systemctl --user edit ponybunny`, then: pb service uninstall --force
    ");
    assert_eq!(fs::read_to_string(unit(&env)).unwrap(), format!("{ours}# mine\n"));
    assert_eq!(env.pb(["service", "install", "--force"]).exit, Some(0));
    assert_eq!(fs::read_to_string(unit(&env)).unwrap(), ours);

    // `systemctl --user mask` makes such a link.
    fs::remove_file(unit(&env)).unwrap();
    symlink("/dev/null", unit(&env)).unwrap();
    assert_eq!(env.pb(["service", "install"]).exit, Some(77));
    assert_eq!(env.pb(["service", "install", "--force"]).exit, Some(0));
    assert!(unit(&env).symlink_metadata().unwrap().is_file());

    env.variables.push(("PB_HOME", env.root().join("other").display().to_string()));
    assert_snapshot!(env.pb(["service", "install"]), @"
    exit: 77
    --- stderr
    error: [root]/user/.config/systemd/user/ponybunny.service is for another home
    hint: to have it run this one instead: pb service install --force
    ");
    assert_eq!(env.pb(["service", "install", "--force"]).exit, Some(0));
    assert!(fs::read_to_string(unit(&env)).unwrap().contains("/other\""));
}

#[test]
fn without_a_systemd_of_the_person_the_unit_is_written_and_the_rest_is_told() {
    let mut env = TestEnv::new();
    let programs = env.root().join("programs");
    fs::create_dir(&programs).unwrap();
    env.variables.push(("PATH", programs.display().to_string()));
    env.variables.push(("MINE_API_KEY", "x".to_owned()));
    assert_snapshot!(env.pb(["service", "install"]), @"
    exit: 0
    --- stderr
    wrote [root]/user/.config/systemd/user/ponybunny.service
    no systemd of yours answers (cannot run systemctl: No such file or directory (os error 2)); when one runs, at your next login: systemctl --user daemon-reload && systemctl --user enable --now ponybunny
    the service does not see the variables of this shell: the keys of MINE_API_KEY belong into [root]/home/credentials.toml; add Environment=PB_PORT=… with: systemctl --user edit ponybunny
    it stops when you log out; to have it go on: loginctl enable-linger
    ");
    assert!(unit(&env).exists());
    let refused = env.pb(["service", "install", "--now"]);
    assert_eq!(refused.exit, Some(69), "{refused}");
    assert!(refused.raw_stderr.contains("systemctl --user daemon-reload && "), "{refused}");
    let removed = env.pb(["service", "uninstall"]);
    assert!(removed.exit == Some(0) && !unit(&env).exists(), "{removed}");
}

#[test]
fn what_runs_in_the_background_is_to_be_stopped_first() {
    let env = with_systemd();
    env.start_daemon("gateway");
    assert_snapshot!(env.pb(["service", "install", "--now"]), @"
    exit: 75
    --- stderr
    error: running in the background: gateway (pid [pid])
    hint: stop what runs, then install: pb stop && pb service install --now
    ");
    assert!(!unit(&env).exists() && !asked(&env).iter().any(|asked| asked.starts_with("enable")));
    let told = env.pb(["service", "install"]);
    assert!(
        told.exit == Some(0) && told.raw_stderr.contains("before the service is started: pb stop"),
        "{told}"
    );
}

#[test]
fn the_words_of_the_first_version_stand_for_the_commands_that_there_are() {
    let env = TestEnv::new();
    assert_eq!(env.pb(["service", "status"]).exit, Some(3));
    let started = env.pb(["service", "start", "all"]);
    assert_eq!(started.exit, Some(0), "{started}");
    assert_eq!(env.pb(["service", "ps"]).exit, Some(0));
    assert_eq!(
        env.json(["service", "status", "gateway", "--json"])["pid"],
        env.holder("gateway").unwrap().pid
    );
    let told = env.pb(["service", "logs", "scheduler", "-n", "1", "--json"]);
    assert!(
        told.raw_stdout.contains("\"process\":\"scheduler\"") && told.raw_stdout.lines().count() == 1,
        "{told}"
    );
    let before = env.holder("scheduler").unwrap().pid;
    assert_eq!(env.pb(["service", "restart", "scheduler"]).exit, Some(0));
    assert_ne!(env.holder("scheduler").unwrap().pid, before);
    let again = env.pb(["scheduler", "start", "--daemon"]);
    assert_eq!(again.exit, Some(75), "{again}");
    let before = env.holder("scheduler").unwrap().pid;
    assert_eq!(env.pb(["scheduler", "start", "--force", "--daemon"]).exit, Some(0));
    assert_ne!(env.holder("scheduler").unwrap().pid, before);
    let before = env.holder("gateway").unwrap().pid;
    let database = env.home().join("state.db").display().to_string();
    assert_eq!(env.pb(["gateway", "start", "-f", "-p", "0", "-d", &database]).exit, Some(0));
    assert_ne!(env.holder("gateway").unwrap().pid, before);
    assert_eq!(env.pb(["gateway", "ps"]).exit, Some(0));
    let told = env.pb(["gateway", "logs", "-n", "1", "--json"]);
    assert!(told.raw_stdout.contains("\"process\":\"gateway\""), "{told}");
    assert_eq!(env.pb(["service", "stop", "gateway"]).exit, Some(0));
    assert!(env.holder("gateway").is_none() && env.holder("scheduler").is_some());
    assert_eq!(env.pb(["service", "stop"]).exit, Some(0));
    assert!(env.holder("scheduler").is_none());
    assert_snapshot!(env.pb(["service", "start", "web"]), @"
    exit: 64
    --- stderr
    error: there is no process web
    hint: name gateway, scheduler or all
    ");
}

#[test]
fn who_stops_by_force_does_not_wait_for_steps() {
    let env = TestEnv::new();
    env.write("goal.toml", WAITS);
    for stop in [["scheduler", "stop", "-f"].as_slice(), &["service", "stop", "all", "--force"]] {
        let _ = fs::remove_dir_all(env.file("out"));
        env.start_daemons();
        env.detach(&["goal.toml"]);
        env.wait_lines("out/witness/wait", 1);
        let began = Instant::now();
        let stopped = env.pb(stop);
        assert_eq!(stopped.exit, Some(0), "{stopped}");
        assert!(began.elapsed() < DRAIN, "{stop:?} took {:?}", began.elapsed());
        assert!(env.holder("scheduler").is_none());
    }
    assert!(env.holder("gateway").is_none());
}
