//! The programs that tell: what a person named in `config.toml`, and `notify-send` on a desktop.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use pb_exec::{Confinement, Job, Launcher, Outcome, Policy, environment};
use pb_runtime::config::Notify as Settings;

use super::notice::{Notice, line};
use crate::service::Config;

/// How long a program may take; then it is ended with everything that it started.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Most characters of what a failing program printed that are told.
const SAID_CHARS_MAX: usize = 200;
/// What shows a notification on a desktop.
const DESKTOP: &str = "notify-send";
/// What a program of the desktop needs to find the session. All else that a program gets is what commands of
/// goals get: no secrets.
const SESSION: [&str; 4] = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"];

/// The programs that tell a person.
#[derive(Debug, Clone)]
pub struct Programs {
    all: Vec<Program>,
    environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Program {
    argv: Vec<String>,
    /// A desktop takes a text for markup.
    is_desktop: bool,
}

/// Why a notification did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{program}: {why}")]
pub struct NotTold {
    /// The program.
    program: String,
    /// What went wrong.
    why: String,
}

impl Programs {
    /// Those that the settings and this environment name.
    pub fn of(settings: &Settings, variables: Vec<(String, String)>) -> Self {
        let session: BTreeMap<String, String> =
            variables.iter().filter(|(name, _)| SESSION.contains(&name.as_str())).cloned().collect();
        let environment = environment::build(variables, &session);
        let has_screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| environment.contains_key(*name));
        let by_itself = settings.command.is_empty() && has_screen && is_there(DESKTOP, &environment);
        let mut all = Vec::new();
        if settings.desktop.unwrap_or(by_itself) {
            let argv = [DESKTOP, "--app-name=PonyBunny", "{title}", "{text}"].map(str::to_owned).to_vec();
            all.push(Program { argv, is_desktop: true });
        }
        if !settings.command.is_empty() {
            all.push(Program { argv: settings.command.clone(), is_desktop: false });
        }
        Self { all, environment }
    }

    /// Whether nobody is told.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Their names, without their arguments.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(Program::name).collect()
    }

    /// What is wrong already now: a program that is not there.
    pub(super) fn missing(&self) -> Option<String> {
        let missing = self.all.iter().map(Program::name).find(|name| !is_there(name, &self.environment))?;
        Some(format!("{missing}: there is no such program"))
    }

    /// Runs each, one after the other.
    ///
    /// # Errors
    /// The first that failed; the others were run all the same.
    pub async fn tell(&self, notice: &Notice, config: &Config, step: &str) -> Result<(), NotTold> {
        let mut result = Ok(());
        for program in &self.all {
            let why = self.run(program, notice, config, step).await;
            let told = why.map_err(|why| NotTold { program: program.name(), why });
            result = result.and(told);
        }
        result
    }

    /// The program runs as the person and is not confined: the person named it.
    async fn run(
        &self,
        program: &Program,
        notice: &Notice,
        config: &Config,
        step: &str,
    ) -> Result<(), String> {
        let mut env = self.environment.clone();
        env.extend(notice.variables());
        let job = Job {
            step: step.to_owned(),
            argv: program.filled(notice),
            cwd: config.home.root().to_owned(),
            env,
            time_limit: TIME_LIMIT,
            confinement: Confinement {
                policy: Policy::Off,
                writable: Vec::new(),
                hidden: Vec::new(),
                tcp_ports: Vec::new(),
            },
        };
        let running = Launcher::new(config.exe.clone()).spawn(&job).map_err(|error| error.to_string())?;
        let finished = running.wait().await;
        match finished.outcome {
            Outcome::Exited(0) => Ok(()),
            Outcome::Exited(code) => {
                let said = line(&finished.output.text(), SAID_CHARS_MAX);
                Err(if said.is_empty() {
                    format!("exited with {code}")
                } else {
                    format!("exited with {code}: {said}")
                })
            }
            Outcome::Signaled(signal) => Err(format!("signal {signal} ended it")),
            Outcome::TimedOut => Err(format!("took longer than {} s and was ended", TIME_LIMIT.as_secs())),
            Outcome::NotStarted(why) => Err(why),
            Outcome::Stopped | Outcome::Lost => Err("was stopped".to_owned()),
        }
    }
}

impl Program {
    fn name(&self) -> String {
        self.argv.first().cloned().unwrap_or_default()
    }

    fn filled(&self, notice: &Notice) -> Vec<String> {
        let (heading, text) = (notice.heading(), notice.text());
        let has_place = self.argv.iter().any(|one| one.contains("{title}") || one.contains("{text}"));
        if !has_place {
            let mut argv = self.argv.clone();
            argv.push(format!("{heading} – {text}"));
            return argv;
        }
        let text = if self.is_desktop { without_markup(&text) } else { text };
        self.argv.iter().map(|one| fill(one, &heading, &text)).collect()
    }
}

/// In one pass: a title may say `{text}`.
fn fill(argument: &str, title: &str, text: &str) -> String {
    let mut filled = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        rest = if let Some(after) = from.strip_prefix("{title}") {
            filled.push_str(title);
            after
        } else if let Some(after) = from.strip_prefix("{text}") {
            filled.push_str(text);
            after
        } else {
            filled.push('{');
            from.get(1..).unwrap_or_default()
        };
    }
    filled.push_str(rest);
    filled
}

fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Whether a program of this name is in the `PATH`, or at this path.
fn is_there(name: &str, environment: &BTreeMap<String, String>) -> bool {
    if name.contains('/') {
        return Path::new(name).is_file();
    }
    let path = environment.get("PATH").map(String::as_str).unwrap_or_default();
    path.split(':').filter(|folder| !folder.is_empty()).any(|folder| Path::new(folder).join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(settings: &Settings, variables: &[(&str, &str)]) -> Programs {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Programs::of(settings, variables.collect())
    }

    #[test]
    fn a_desktop_is_used_where_there_is_one_and_no_other_way_is_named() {
        let bin = tempfile::tempdir().unwrap();
        let path = bin.path().to_str().unwrap();
        let names = |settings: Settings, variables: &[(&str, &str)]| programs(&settings, variables).names();
        let none = Vec::<String>::new();
        let screen = [("PATH", path), ("DISPLAY", ":0")];
        assert_eq!(names(Settings::default(), &screen), none, "it is not installed");
        std::fs::write(bin.path().join(DESKTOP), "").unwrap();
        assert_eq!(names(Settings::default(), &screen), [DESKTOP]);
        assert_eq!(names(Settings::default(), &[("PATH", path)]), none, "there is no session");
        let off = Settings { desktop: Some(false), ..Settings::default() };
        assert_eq!(names(off, &screen), none);
        let other = Settings { command: vec!["tell".to_owned()], ..Settings::default() };
        assert_eq!(names(other.clone(), &screen), ["tell"]);
        let both = Settings { desktop: Some(true), ..other };
        assert_eq!(names(both.clone(), &[]), [DESKTOP, "tell"]);
        assert_eq!(programs(&both, &screen).missing().unwrap(), "tell: there is no such program");
    }

    #[test]
    fn secrets_stay_here_and_the_session_is_found() {
        let given = [("PATH", "/bin"), ("MY_API_KEY", "k"), ("DISPLAY", ":0"), ("SSH_AUTH_SOCK", "/s")];
        let found = programs(&Settings::default(), &given).environment;
        assert_eq!(found.keys().collect::<Vec<_>>(), ["DISPLAY", "PATH"]);
    }

    #[test]
    fn texts_are_filled_in_once_and_a_desktop_is_given_no_markup() {
        let program = |argv: &[&str], is_desktop: bool| Program {
            argv: argv.iter().map(|one| (*one).to_owned()).collect(),
            is_desktop,
        };
        let mut notice = Notice::test();
        assert_eq!(
            program(&["tell", "--now"], false).filled(&notice),
            [
                "tell",
                "--now",
                "test: PonyBunny – this is how goals tell that they ask or have ended (pb status)"
            ]
        );
        notice.set("{text} <b>", "a & <i>b</i>");
        let argv = ["tell", "{x}{title}", "-m={text}"];
        let plain = program(&argv, false).filled(&notice);
        assert_eq!(plain, ["tell", "{x}test: {text} <b>", "-m=a & <i>b</i> (pb status)"]);
        let desktop = program(&argv, true).filled(&notice);
        assert_eq!(desktop[2], "-m=a &amp; &lt;i&gt;b&lt;/i&gt; (pb status)");
    }
}
