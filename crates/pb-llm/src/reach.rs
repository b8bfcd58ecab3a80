//! Whether a provider can be reached and takes its key, without anything that costs: it is asked for the list of its
//! models.

use std::time::Duration;

use futures_util::future::join_all;
use pb_runtime::config::ProviderKind;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::ExposeSecret;

use crate::models::Models;
use crate::providers::Known;
use crate::scrub::scrub;
use crate::web::is_loopback;
use crate::{Key, Web};

/// The version of Anthropic's messages that the list of models is asked in.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// A provider that the person has something to do with: a key, a setting, or a server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Its name.
    pub provider: String,
    /// Where it is; holds no secret.
    pub base_url: String,
    /// The variable, or the entry of `credentials.toml`, that holds its key or should.
    pub key_name: Option<String>,
    /// What came of asking it.
    pub found: Found,
}

/// What came of asking a provider for its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It named them.
    Answers,
    /// It was not asked.
    NotAsked,
    /// It wants a key and there is none.
    NoKey,
    /// It refused the key, with this status.
    RefusesKey(u16),
    /// It is there, and said something else.
    Says(u16),
    /// It is not reached; why.
    Unreachable(String),
}

impl Models {
    /// Asks every provider that the person has something to do with, all at once, each for at most `limit`. With `None`
    /// nobody is asked.
    pub async fn reach(&self, limit: Option<Duration>) -> Vec<Reach> {
        let asked = self.used_providers().into_iter().map(|(name, known)| async move {
            let found = match (limit, &known.key) {
                (_, Key::Missing(_)) => Found::NoKey,
                (None, _) => Found::NotAsked,
                (Some(limit), _) => {
                    let asking = tokio::time::timeout(limit, ask(self.web(), known)).await;
                    asking.unwrap_or_else(|_| {
                        Found::Unreachable(format!("no answer within {} s", limit.as_secs()))
                    })
                }
            };
            Reach {
                provider: name.to_owned(),
                base_url: known.base_url.to_string(),
                key_name: known.key_name.clone(),
                found,
            }
        });
        join_all(asked).await
    }
}

async fn ask(web: &Web, known: &Known) -> Found {
    let url = match known.base_url.join("models") {
        Ok(url) => url,
        Err(error) => return Found::Unreachable(error.to_string()),
    };
    let here = known.base_url.scheme() == "http" && is_loopback(&known.base_url);
    let client = if here { web.loopback() } else { web.outside() };
    let asking = match client {
        Ok(client) => with_key(client.get(url), known),
        Err(error) => return Found::Unreachable(error.to_string()),
    };
    match asking.send().await {
        Ok(answer) => judge(answer.status()),
        Err(error) => Found::Unreachable(why(&error, &known.key)),
    }
}

fn with_key(request: RequestBuilder, known: &Known) -> RequestBuilder {
    let Key::Present(key) = &known.key else { return request };
    match known.kind {
        ProviderKind::OpenAi => request.bearer_auth(key.expose_secret()),
        ProviderKind::Anthropic => {
            request.header("x-api-key", key.expose_secret()).header("anthropic-version", ANTHROPIC_VERSION)
        }
        ProviderKind::Gemini => request.header("x-goog-api-key", key.expose_secret()),
    }
}

fn judge(status: StatusCode) -> Found {
    match status {
        status if status.is_success() => Found::Answers,
        // Gemini says 400 to a key that is none; to a list without parameters nothing else is wrong.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            Found::RefusesKey(status.as_u16())
        }
        status => Found::Says(status.as_u16()),
    }
}

/// The innermost reason: the others say that a request failed, and to where.
fn why(error: &reqwest::Error, key: &Key) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let key = match key {
        Key::Present(key) => Some(key.expose_secret()),
        Key::NotNeeded | Key::Missing(_) => None,
    };
    scrub(&innermost.to_string(), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_the_key_is_taken() {
        let of = |code| judge(StatusCode::from_u16(code).unwrap());
        assert_eq!(
            [200, 401, 403, 404, 429, 503].map(of),
            [
                Found::Answers,
                Found::RefusesKey(401),
                Found::RefusesKey(403),
                Found::Says(404),
                Found::Says(429),
                Found::Says(503)
            ]
        );
    }
}
