//! Holding a conversation: what is written goes to the worker, what comes from there is shown.
//!
//! ```text
//!   standard input --- lines ---> conversation.message
//!   subscription  <--- events --- answers, news of goals       over when nothing is awaited any more
//! ```

use anyhow::Context;
use pb_protocol::client::{Client, Item, Subscription};
use pb_protocol::frame::EventFrame;
use pb_protocol::methods::conversation::{Message, MessageParams, Status as TalkStatus, StatusParams};
use pb_protocol::methods::events::SubscribeParams;
use pb_protocol::methods::goal::{GoalIdParams, Status};
use pb_runtime::Home;
use pb_runtime::signals::StopSignals;
use serde_json::json;
use tokio::sync::mpsc;

use super::show::{Screen, Told};
use crate::daemon::Daemon;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, output, report};

/// Lines of standard input that wait to be said.
const LINES_WAITING_MAX: usize = 16;

/// Which conversation.
pub(super) struct Begin {
    /// One that goes on.
    pub(super) going_on: Option<String>,
    pub(super) persona: Option<String>,
    pub(super) workspace: Option<String>,
}

/// How it is held.
pub(super) struct How {
    /// The one message, if there is only that.
    pub(super) once: Option<String>,
    pub(super) wait: bool,
    pub(super) json: bool,
}

/// Holds it, until its end or that of the input.
pub(super) async fn talk(home: &Home, client: Client, begin: Begin, how: How) -> Result<Exit, Failure> {
    let mut signals = StopSignals::listen().context("cannot listen to signals")?;
    let lines = if how.once.is_some() { None } else { Some(read_lines()) };
    let mut talk = Talk {
        home,
        client,
        begin,
        how,
        lines,
        session: None,
        screen: Screen::new(),
        shown: 0,
        said: 0,
        answered: 0,
        has_task: false,
        exit: Exit::Ok,
    };
    let held = tokio::select! {
        held = talk.hold() => held,
        () = signals.next() => Ok(Exit::Detached),
    };
    talk.screen.break_off();
    if let Some((id, _)) = &talk.session
        && !talk.how.json
    {
        output::note(format_args!("the conversation goes on with: pb chat --session {id}"));
    }
    held
}

/// Standard input, line by line. A thread of its own: nothing can end the wait for a line but the process's end.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(LINES_WAITING_MAX);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

struct Talk<'h> {
    home: &'h Home,
    client: Client,
    begin: Begin,
    how: How,
    /// What the person still says; none after the end.
    lines: Option<mpsc::Receiver<String>>,
    /// The conversation, and what comes from it.
    session: Option<(String, Subscription)>,
    screen: Screen,
    /// Turns up to this one were shown before.
    shown: u64,
    /// The last message that was taken.
    said: u64,
    answered: u64,
    /// Whether a goal is under way.
    has_task: bool,
    exit: Exit,
}

impl Talk<'_> {
    async fn hold(&mut self) -> Result<Exit, Failure> {
        if let Some(id) = self.begin.going_on.take() {
            let status = self.client.call::<TalkStatus>(&StatusParams { session_id: id.clone() }).await?;
            if !status.exists {
                return Err(Failure::new(Exit::Missing, format!("the conversation {id} has ended"))
                    .hint(format!("read it with: pb chat --history {id}")));
            }
            self.shown = status.turn_count.unwrap_or(0);
            self.answered = self.shown;
            self.has_task = status.state.as_deref() == Some("executing");
            self.listen(id);
        }
        if let Some(message) = self.how.once.take() {
            self.say(message).await?;
        } else {
            self.screen.prompt();
        }
        while !self.is_over() {
            tokio::select! {
                line = next_line(&mut self.lines) => self.read(line).await?,
                item = next_item(&mut self.session) => self.take(item?).await?,
            }
        }
        Ok(self.exit)
    }

    /// Whether nobody says anything more, and nothing is awaited.
    fn is_over(&self) -> bool {
        let is_awaited = self.said > self.answered || (self.how.wait && self.has_task);
        self.lines.is_none() && !is_awaited
    }

    /// Takes a line of the input; none is its end.
    async fn read(&mut self, line: Option<String>) -> Result<(), Failure> {
        let Some(line) = line else {
            self.lines = None;
            return Ok(());
        };
        self.screen.entered();
        if line.trim().is_empty() {
            self.screen.prompt();
            return Ok(());
        }
        self.say(line).await
    }

    async fn say(&mut self, message: String) -> Result<(), Failure> {
        let params = MessageParams {
            message,
            session_id: self.session.as_ref().map(|(id, _)| id.clone()),
            persona_id: self.begin.persona.clone(),
            workspace: self.begin.workspace.clone(),
            wait: Some(false),
            ..MessageParams::default()
        };
        let taken = connection::patiently(self.client.call::<Message>(&params)).await?;
        // One that has only just begun takes it in a moment.
        if taken.waiting && taken.turn == 0 && Daemon::Scheduler.holder(self.home).is_none() {
            output::note("it is answered when a scheduler runs: pb scheduler start");
        }
        // One that nobody has taken yet has no number; it has one before it has an answer.
        self.said = self.said.max(taken.turn).max(self.answered + 1);
        if self.session.is_none() {
            self.listen(taken.session_id);
        }
        Ok(())
    }

    /// From the beginning: so nothing falls between this and what was said before. What was shown is left out.
    fn listen(&mut self, id: String) {
        let events = self.client.subscribe(SubscribeParams {
            session_id: Some(id.clone()),
            after: Some("start".to_owned()),
            deltas: !self.how.json && self.screen.is_live(),
            ..SubscribeParams::default()
        });
        self.session = Some((id, events));
    }

    async fn take(&mut self, item: Item) -> Result<(), Failure> {
        match item {
            Item::Event(frame) => self.event(&frame).await,
            Item::Ephemeral(frame) => {
                self.screen.hear(&frame);
                Ok(())
            }
            Item::Disconnected => {
                self.screen.break_off();
                output::note("the connection to the gateway is lost; connecting again");
                Ok(())
            }
            Item::Resumed | Item::Lag(_) | Item::Snapshot(_) | Item::RebaseRequired(_) => Ok(()),
        }
    }

    async fn event(&mut self, frame: &EventFrame) -> Result<(), Failure> {
        let told = Told::of(frame);
        if told.turn.as_ref().is_some_and(|turn| turn.n <= self.shown) {
            return Ok(());
        }
        self.shown = told.turn.as_ref().map_or(self.shown, |turn| turn.n);
        self.has_task = told.has_task;
        if self.how.json {
            let data = &*frame.data;
            output::json_line(
                &json!({"event": frame.event, "data": data, "cursor": frame.cursor, "at": frame.at}),
            )?;
        }
        match frame.event.as_str() {
            "conversation.message" => self.said = self.said.max(self.shown),
            "conversation.failed" if told.again && !self.how.json => self.screen.failed(&told),
            "conversation.response" => {
                self.answered = self.answered.max(told.answered);
                self.exit = if told.is_news() { Exit::Failed } else { Exit::Ok };
                self.show(&told)?;
            }
            "task.narration" => self.show(&told)?,
            "task.result" => {
                self.show(&told)?;
                self.end_of_goal(&told).await?;
            }
            "conversation.ended" => {
                output::note("the conversation has ended");
                (self.lines, self.answered, self.has_task) = (None, u64::MAX, false);
            }
            _ => {}
        }
        Ok(())
    }

    fn show(&mut self, told: &Told) -> anyhow::Result<()> {
        if !self.how.json {
            self.screen.answer(told)?;
            self.screen.prompt();
        }
        Ok(())
    }

    /// Who stays for a goal wants to know how that ended.
    async fn end_of_goal(&mut self, told: &Told) -> Result<(), Failure> {
        if let Some(goal_id) = told.goal_id.clone().filter(|_| self.how.wait) {
            let detail = self.client.call::<Status>(&GoalIdParams { goal_id }).await?;
            self.exit = report::exit(&detail.goal);
        }
        Ok(())
    }
}

async fn next_line(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

async fn next_item(session: &mut Option<(String, Subscription)>) -> Result<Item, pb_protocol::client::Error> {
    match session {
        Some((_, events)) => events.next().await,
        None => std::future::pending().await,
    }
}
