//! Conversations that were held: which there are, what was said, and their end.

use pb_protocol::client::Client;
use pb_protocol::conversation::{Conversation, Turn};
use pb_protocol::methods::conversation::{End, EndParams, History, HistoryParams, List, ListParams};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{format, output, table};

/// Most conversations that are looked through, and listed.
const LOOKED_AT_MAX: usize = 500;

/// Lists them.
pub(super) async fn list(client: &Client, json: bool) -> Result<Exit, Failure> {
    let params = ListParams { limit: Some(LOOKED_AT_MAX), ..ListParams::default() };
    let list = client.call::<List>(&params).await?;
    if json {
        output::json(&list)?;
    } else if list.conversations.is_empty() {
        output::note("no conversations; begin one with: pb chat");
    } else {
        let row = |one: &Conversation| {
            vec![
                one.session_id.clone(),
                one.state.clone(),
                one.turn_count.to_string(),
                format::moment(one.updated_at),
                format::line(&one.about),
            ]
        };
        let rows = list.conversations.iter().map(row).collect();
        output::data(table::render(&["CONVERSATION", "STATE", "TURNS", "LAST", "ABOUT"], rows))?;
    }
    Ok(Exit::Ok)
}

/// Prints what was said.
pub(super) async fn history(client: &Client, id: &str, json: bool) -> Result<Exit, Failure> {
    let session_id = find(client, id).await?;
    let history = client.call::<History>(&HistoryParams { session_id, limit: None }).await?;
    if json {
        output::json(&history)?;
    } else {
        for turn in &history.turns {
            output::data(told(turn))?;
        }
    }
    Ok(Exit::Ok)
}

/// A turn, with who said it and when.
fn told(turn: &Turn) -> String {
    let is_news = turn.metadata.as_ref().is_some_and(|metadata| metadata.worker);
    let who = match (turn.role.as_str(), is_news) {
        ("user", _) => "you",
        (_, true) => "worker",
        (_, false) => "pb",
    };
    let heading = format!("{who}, {}", format::moment(turn.timestamp));
    format!("{}\n{}\n", output::styled(output::BOLD, heading), format::printable(&turn.content))
}

/// Ends one.
pub(super) async fn end(client: &Client, id: &str) -> Result<Exit, Failure> {
    let params = EndParams { session_id: find(client, id).await?, idempotency_key: None };
    let ended = client.call::<End>(&params).await?;
    output::note(match (ended.success, ended.waiting) {
        (true, true) => "it ends when a scheduler runs: pb scheduler start",
        (true, false) => "the conversation has ended; its goals go on",
        (false, _) => "the conversation had ended before",
    });
    Ok(Exit::Ok)
}

/// The conversation whose id has this part.
pub(super) async fn find(client: &Client, part: &str) -> Result<String, Failure> {
    let params = ListParams { ended: true, limit: Some(LOOKED_AT_MAX), ..ListParams::default() };
    let list = client.call::<List>(&params).await?;
    let ids: Vec<String> = list.conversations.into_iter().map(|one| one.session_id).collect();
    let mut fitting = ids.iter().filter(|id| id.contains(part));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => Err(Failure::new(Exit::Missing, format!("there is no conversation `{part}`"))
            .hint("see them with: pb chat --list")),
        (Some(_), Some(_)) => {
            let message = format!("`{part}` is a part of several conversations' ids");
            Err(Failure::new(Exit::Usage, message).hint("say more of it: pb chat --list"))
        }
    }
}

/// The one in which something was said last.
pub(super) async fn last(client: &Client) -> Result<String, Failure> {
    let params = ListParams { limit: Some(1), ..ListParams::default() };
    let list = client.call::<List>(&params).await?;
    let found = list.conversations.into_iter().next().map(|one| one.session_id);
    found.ok_or_else(|| {
        Failure::new(Exit::Missing, "there is no conversation yet").hint("begin one with: pb chat")
    })
}
