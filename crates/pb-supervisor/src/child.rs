//! What is to be done about one process, and when: its states, how often it may fail, how long to wait before it
//! is started again. Pure: moments come from outside.
//!
//! ```text
//!  STOPPED --start--> STARTING --ready--> RUNNING
//!     ^                  |  ^                |  ended, hung
//!     |                  |  +---- wait ---- BACKOFF
//!     +-- STOPPING <-----+----- asked -------+
//!              exit 78: EXITED      five failures in 60 s: FATAL
//! ```
//!
//! The words are those of supervisord, the intensity that of OTP's supervisors.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// So many failures in [`FAILURES_WITHIN`] are the last ones.
pub const FAILURES_MAX: usize = 5;
/// The time in which failures are counted.
pub const FAILURES_WITHIN: Duration = Duration::from_mins(1);
/// How long it may take until it serves, or says that it is still at it: a large log may have to be brought forward.
pub const READY_MAX: Duration = Duration::from_secs(10);
/// How long it may take in all, whatever it says.
pub const START_MAX: Duration = Duration::from_hours(6);
/// How long it may take to stop by itself: its steps have 20 s to reach a checkpoint.
pub const STOP_MAX: Duration = Duration::from_secs(25);
/// How long it may be silent once it has said that it is alive.
pub const SILENT_MAX: Duration = Duration::from_secs(30);
/// After so much time of health its failures are forgotten.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(30);
/// How long to wait before the first restart; it doubles with each.
pub const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// How long to wait at most.
pub const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// The exit code of a process whose settings do not work (`sysexits.h`): it is not started again.
pub const EXIT_CONFIG: i32 = 78;

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is not to run.
    Stopped,
    /// It was started and does not serve yet.
    Starting,
    /// It serves.
    Running,
    /// It ended, and is started again in a moment.
    Backoff,
    /// It was asked to end.
    Stopping,
    /// It ended for a reason that a restart does not mend: its settings.
    Exited,
    /// It failed too often.
    Fatal,
}

impl State {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Backoff => "backoff",
            Self::Stopping => "stopping",
            Self::Exited => "exited",
            Self::Fatal => "fatal",
        }
    }

    /// Whether a process is there.
    pub fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Running | Self::Stopping)
    }

    /// Whether nothing changes until somebody asks.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Stopped | Self::Running | Self::Exited | Self::Fatal)
    }
}

/// What is to be done about a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Start it.
    Start,
    /// Ask it to end.
    Terminate,
    /// End it.
    Kill,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was not our child, so nobody told us.
    Unseen,
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "it ended with the exit code {code}"),
            Self::Signal(9) => f.write_str("it was killed (signal 9)"),
            Self::Signal(signal) => write!(f, "it ended by signal {signal}"),
            Self::Unseen => f.write_str("it ended"),
        }
    }
}

/// One process that is kept running.
#[derive(Debug, Clone)]
pub struct Child {
    state: State,
    since: Instant,
    wanted: bool,
    /// Whether it is to be started again once it has stopped.
    again: bool,
    /// When it failed of late.
    failures: VecDeque<Instant>,
    /// How often the wait has doubled.
    doubled: u32,
    /// When something is to be done.
    due: Option<Instant>,
    /// When it said that it is alive. One that never did is not watched.
    heard: Option<Instant>,
    /// Why it failed the last time.
    why: Option<String>,
    /// Why this one fails, known before it ends.
    known: Option<String>,
    restarts: u64,
}

impl Child {
    /// One that is not to run.
    pub fn new(now: Instant) -> Self {
        Self {
            state: State::Stopped,
            since: now,
            wanted: false,
            again: false,
            failures: VecDeque::new(),
            doubled: 0,
            due: None,
            heard: None,
            why: None,
            known: None,
            restarts: 0,
        }
    }

    /// How it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when it is so.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Whether it is to run.
    pub fn is_wanted(&self) -> bool {
        self.wanted || self.again
    }

    /// Why it failed the last time.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// How often it was started again by itself.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// It is to run, whatever happened before.
    pub fn start(&mut self, now: Instant) {
        self.again = self.state == State::Stopping;
        self.wanted = !self.again;
        if matches!(self.state, State::Exited | State::Fatal | State::Backoff) {
            self.enter(State::Stopped, now);
        }
        if self.state == State::Stopped {
            self.forgive();
        }
    }

    /// It is to run no more.
    pub fn stop(&mut self) {
        self.wanted = false;
        self.again = false;
    }

    /// It is to stop, and then to run.
    pub fn restart(&mut self, now: Instant) {
        if self.state.is_alive() {
            self.wanted = false;
            self.again = true;
        } else {
            self.start(now);
        }
    }

    /// One that runs already is taken over. One that says to us that it is alive has to be heard from now on.
    pub fn adopt(&mut self, tells_us: bool, now: Instant) {
        self.wanted = true;
        self.heard = tells_us.then_some(now);
        self.enter(State::Running, now);
    }

    /// It serves.
    pub fn ready(&mut self, now: Instant) {
        if self.state == State::Starting {
            self.enter(State::Running, now);
            self.due = Some(now + HEALTHY_AFTER);
            // From now on it has to be heard.
            self.heard = Some(now);
        }
    }

    /// It said that it is alive.
    pub fn heard(&mut self, now: Instant) {
        self.heard = Some(now);
        if self.state == State::Starting && self.due.is_some() {
            self.due = Some((now + READY_MAX).min(self.since + START_MAX));
        }
    }

    /// Whoever listens did not for so long: no limit of it runs meanwhile, and it has to be heard from now on.
    pub fn was_away(&mut self, by: Duration, now: Instant) {
        self.heard = self.heard.map(|_| now);
        self.due = self.due.map(|due| due + by);
    }

    /// It could not be started, or said itself why it does not serve: what is told instead of the exit code.
    pub fn complains(&mut self, why: String) {
        self.known = Some(why);
    }

    /// It ended.
    pub fn ended(&mut self, how: Ending, now: Instant) {
        self.heard = None;
        if self.state == State::Stopping || !self.wanted {
            self.enter(State::Stopped, now);
            if self.again {
                self.again = false;
                self.wanted = true;
                self.forgive();
            }
            return;
        }
        self.why = Some(self.known.take().unwrap_or_else(|| how.to_string()));
        if how == Ending::Code(EXIT_CONFIG) {
            self.enter(State::Exited, now);
            return;
        }
        self.failures.push_back(now);
        while self.failures.front().is_some_and(|at| now.duration_since(*at) > FAILURES_WITHIN) {
            self.failures.pop_front();
        }
        if self.failures.len() >= FAILURES_MAX {
            self.enter(State::Fatal, now);
            return;
        }
        let wait = BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(self.doubled)).min(BACKOFF_MAX);
        self.doubled = self.doubled.saturating_add(1);
        self.enter(State::Backoff, now);
        self.due = Some(now + wait);
    }

    /// What is to be done now. `may_start` holds a start back.
    pub fn act(&mut self, may_start: bool, now: Instant) -> Option<Act> {
        let is_due = self.due.is_some_and(|due| now >= due);
        match self.state {
            State::Stopped if self.wanted && may_start => Some(self.begins(now)),
            State::Backoff | State::Exited | State::Fatal if !self.wanted => {
                self.enter(State::Stopped, now);
                None
            }
            State::Backoff if is_due || self.due.is_none() => {
                self.due = None; // One that is held back is woken by what holds it back.
                may_start.then(|| {
                    self.restarts += 1;
                    self.begins(now)
                })
            }
            State::Starting | State::Running if !self.wanted => {
                self.enter(State::Stopping, now);
                self.due = Some(now + STOP_MAX);
                Some(Act::Terminate)
            }
            State::Starting if is_due => {
                self.known = Some(format!("it did not serve within {} s", READY_MAX.as_secs()));
                self.due = None;
                Some(Act::Kill)
            }
            State::Running => self.watch(is_due, now),
            State::Stopping if is_due => {
                self.due = None;
                Some(Act::Kill)
            }
            State::Stopped
            | State::Backoff
            | State::Starting
            | State::Stopping
            | State::Exited
            | State::Fatal => None,
        }
    }

    /// When [`Child::act`] has something to say next by itself.
    pub fn due(&self) -> Option<Instant> {
        let silent = self.heard.filter(|_| self.state == State::Running).map(|heard| heard + SILENT_MAX);
        [self.due, silent].into_iter().flatten().min()
    }

    fn watch(&mut self, is_due: bool, now: Instant) -> Option<Act> {
        if is_due {
            self.forgive();
            self.due = None;
        }
        if self.heard.is_some_and(|heard| now.duration_since(heard) >= SILENT_MAX) {
            self.known = Some(format!("it hung: nothing was heard of it for {} s", SILENT_MAX.as_secs()));
            self.due = None;
            self.heard = None;
            return Some(Act::Kill);
        }
        None
    }

    fn begins(&mut self, now: Instant) -> Act {
        self.enter(State::Starting, now);
        self.due = Some(now + READY_MAX);
        self.heard = None;
        self.known = None;
        Act::Start
    }

    fn forgive(&mut self) {
        self.failures.clear();
        self.doubled = 0;
    }

    fn enter(&mut self, state: State, now: Instant) {
        self.state = state;
        self.since = now;
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A child and a clock of its own.
    struct Story {
        child: Child,
        began: Instant,
        now: Instant,
        told: Vec<String>,
    }

    impl Story {
        fn new() -> Self {
            let began = Instant::now();
            Self { child: Child::new(began), began, now: began, told: Vec::new() }
        }

        /// Does what is due, and tells of it.
        fn act(&mut self) {
            while let Some(act) = self.child.act(true, self.now) {
                let ms = self.now.duration_since(self.began).as_millis();
                self.told.push(format!("{ms:>6} ms {act:?}, {}", self.child.state().as_str()));
            }
        }

        /// Lets time go on to where something is due.
        fn go_on(&mut self) {
            self.now = self.child.due().unwrap();
            self.act();
        }

        fn ends(&mut self, how: Ending) {
            self.child.ended(how, self.now);
            let ms = self.now.duration_since(self.began).as_millis();
            let (state, why) = (self.child.state().as_str(), self.child.why().unwrap_or("-"));
            self.told.push(format!("{ms:>6} ms ended, {state}: {why}"));
            self.act();
        }
    }

    #[test]
    fn what_ends_at_once_is_started_again_later_and_later_and_five_times_at_most() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        for _ in 0..FAILURES_MAX - 1 {
            story.ends(Ending::Signal(9));
            story.go_on();
        }
        story.ends(Ending::Code(1));
        assert_eq!(story.child.due(), None, "nothing comes after that by itself");
        insta::assert_snapshot!(story.told.join("\n"), @"
           0 ms Start, starting
           0 ms ended, backoff: it was killed (signal 9)
         100 ms Start, starting
         100 ms ended, backoff: it was killed (signal 9)
         300 ms Start, starting
         300 ms ended, backoff: it was killed (signal 9)
         700 ms Start, starting
         700 ms ended, backoff: it was killed (signal 9)
        1500 ms Start, starting
        1500 ms ended, fatal: it ended with the exit code 1
        ");
        story.child.start(story.now);
        assert_eq!(story.child.act(true, story.now), Some(Act::Start), "a person may say so");
    }

    #[test]
    fn after_half_a_minute_of_health_what_failed_before_is_forgotten() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        for _ in 0..3 * FAILURES_MAX {
            story.child.ready(story.now);
            story.go_on();
            assert_eq!(story.now.duration_since(story.child.since()), HEALTHY_AFTER);
            story.ends(Ending::Signal(11));
            assert_eq!(story.child.due(), Some(story.now + BACKOFF_FIRST));
            story.go_on();
        }
        assert_eq!(story.child.restarts(), 3 * FAILURES_MAX as u64);
    }

    #[test]
    fn one_that_says_that_it_is_still_at_its_start_has_more_time_and_not_for_ever() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        while story.now.duration_since(story.began) + READY_MAX < START_MAX {
            story.now += READY_MAX / 2;
            story.child.heard(story.now);
            assert_eq!(story.child.act(true, story.now), None);
        }
        story.now = story.began + START_MAX;
        assert_eq!(story.child.act(true, story.now), Some(Act::Kill));
    }

    #[test]
    fn one_that_is_held_back_wakes_nobody() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        story.ends(Ending::Signal(9));
        story.now = story.child.due().unwrap();
        assert_eq!((story.child.act(false, story.now), story.child.due()), (None, None));
        assert_eq!(story.child.act(true, story.now), Some(Act::Start));
    }

    #[test]
    fn settings_that_do_not_work_are_not_tried_again() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        story.child.complains("error: the port is taken".to_owned());
        story.ends(Ending::Code(EXIT_CONFIG));
        assert_eq!((story.child.state(), story.child.due()), (State::Exited, None));
        assert_eq!(story.child.why(), Some("error: the port is taken"));
    }

    #[test]
    fn what_does_not_serve_in_time_hangs_or_does_not_stop_is_killed() {
        let mut story = Story::new();
        story.child.start(story.now);
        story.act();
        story.go_on();
        story.ends(Ending::Signal(9));
        story.go_on();
        story.child.ready(story.now);
        story.child.heard(story.now + SECOND);
        story.now += SILENT_MAX;
        story.act();
        story.go_on();
        story.ends(Ending::Signal(9));
        story.go_on();
        story.child.ready(story.now);
        story.child.stop();
        story.act();
        story.go_on();
        story.ends(Ending::Signal(9));
        insta::assert_snapshot!(story.told.join("\n"), @"
            0 ms Start, starting
        10000 ms Kill, starting
        10000 ms ended, backoff: it did not serve within 10 s
        10100 ms Start, starting
        41100 ms Kill, running
        41100 ms ended, backoff: it hung: nothing was heard of it for 30 s
        41200 ms Start, starting
        41200 ms Terminate, stopping
        66200 ms Kill, stopping
        66200 ms ended, stopped: it hung: nothing was heard of it for 30 s
        ");
    }

    #[test]
    fn what_nobody_listened_to_is_no_silence() {
        let mut story = Story::new();
        story.child.adopt(true, story.now);
        story.now += 2 * SILENT_MAX;
        story.child.was_away(SILENT_MAX, story.now);
        assert_eq!(story.child.act(true, story.now), None);
        story.now += SILENT_MAX;
        assert_eq!(story.child.act(true, story.now), Some(Act::Kill));
    }

    #[test]
    fn one_that_never_said_that_it_is_alive_is_not_watched() {
        let mut story = Story::new();
        story.child.adopt(false, story.now);
        story.now += 100 * SILENT_MAX;
        assert_eq!((story.child.act(true, story.now), story.child.due()), (None, None));
    }

    #[test]
    fn a_restart_stops_it_first_and_a_start_that_comes_while_it_stops_is_not_lost() {
        for asks in [Child::restart, |child: &mut Child, now| {
            child.stop();
            child.act(true, now);
            child.start(now);
        }] {
            let mut story = Story::new();
            story.child.adopt(false, story.now);
            asks(&mut story.child, story.now);
            story.act();
            assert_eq!(story.child.state(), State::Stopping);
            story.ends(Ending::Code(0));
            assert_eq!(story.child.state(), State::Starting);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Start,
        Stop,
        Restart,
        Ready,
        Heard,
        Ends(Ending),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            Just(Step::Start),
            Just(Step::Stop),
            Just(Step::Restart),
            Just(Step::Ready),
            Just(Step::Heard),
            prop_oneof![
                Just(Ending::Code(0)),
                Just(Ending::Code(EXIT_CONFIG)),
                Just(Ending::Signal(9)),
                Just(Ending::Unseen)
            ]
            .prop_map(Step::Ends),
            (0_u64..100_000).prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// Whatever comes: never two at once, never one that nobody wants, at most five starts without a pause of
        /// health, and what is to stop has stopped within its limit.
        #[test]
        fn whatever_happens_one_runs_at_most_and_none_in_a_hot_loop(steps in prop::collection::vec(step(), 0..200)) {
            let mut now = Instant::now();
            let mut child = Child::new(now);
            let mut lives = false;
            let mut starts = std::collections::VecDeque::new();
            for step in steps {
                match step {
                    Step::Start => { child.start(now); starts.clear(); }
                    Step::Stop => child.stop(),
                    Step::Restart => { child.restart(now); starts.clear(); }
                    Step::Ready => child.ready(now),
                    Step::Heard => child.heard(now),
                    Step::Ends(how) if lives => { lives = false; child.ended(how, now); }
                    Step::Ends(_) => {}
                    Step::Pass(ms) => now += Duration::from_millis(ms),
                }
                while let Some(act) = child.act(true, now) {
                    match act {
                        Act::Start => {
                            prop_assert!(!lives && child.is_wanted());
                            lives = true;
                            starts.push_back(now);
                            if starts.len() > FAILURES_MAX {
                                let first = starts.pop_front().unwrap();
                                prop_assert!(now.duration_since(first) > FAILURES_WITHIN.min(HEALTHY_AFTER));
                            }
                        }
                        Act::Terminate | Act::Kill => prop_assert!(lives),
                    }
                }
                prop_assert_eq!(child.state().is_alive(), lives);
            }
            child.stop();
            while child.act(true, now).is_some() {}
            prop_assert!(!lives || child.due() == Some(now + STOP_MAX) || child.state() == State::Stopping);
        }
    }
}
