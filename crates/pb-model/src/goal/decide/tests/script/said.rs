//! What people and clients say in a script.

use uuid::Uuid;

use super::super::request::asks_for;
use crate::goal::{Command, Reply};

pub(super) fn person(words: &[&str]) -> Command {
    let to = words.iter().find_map(|word| word.strip_prefix("to="));
    let by = "ann".to_owned();
    match words {
        ["cancel"] => Command::Cancel { by, reason: Some("enough".to_owned()) },
        ["pause"] => Command::Pause { by },
        ["resume", rest @ ..] => Command::Resume { by, reply: rest.first().map(|word| reply(word, to)) },
        ["say", question, word, rest @ ..] => {
            let mut reply = reply(word, to);
            for (key, words) in rest.iter().filter_map(|word| word.split_once('=')) {
                match key {
                    "to" => {}
                    "text" => reply.text = Some(words.to_owned()),
                    id => drop(reply.answers.insert(id.to_owned(), words.to_owned())),
                }
            }
            let escalation = u128::from_str_radix(question, 16).unwrap();
            Command::Answer { escalation: Uuid::from_u128(escalation).into(), reply, by: "bob".to_owned() }
        }
        ["ask", kind, about @ ..] => asks_for(kind, about.iter().find_map(|word| word.strip_prefix("run="))),
        ["again"] => Command::Retry { by },
        ["prioritize", priority] => Command::Prioritize { priority: priority.parse().unwrap(), by },
        words => panic!("not in the language: {words:?}"),
    }
}

fn reply(word: &str, to: Option<&str>) -> Reply {
    Reply { to: to.map(|to| to.parse().unwrap()), ..Reply::plain(word.parse().unwrap()) }
}
