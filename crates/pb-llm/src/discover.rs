//! Model servers on this machine, at their usual ports.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::Web;

/// Names and ports of the servers that are looked for.
const USUAL: [(&str, u16); 4] =
    [("ollama", 11_434), ("lmstudio", 1_234), ("llama-server", 8_080), ("vllm", 8_000)];
/// The variable with other names and ports: `name:port`, separated by commas, or `none`.
pub const PORTS_VARIABLE: &str = "PB_LOCAL_MODEL_PORTS";
/// Longest time for a server to name its models.
const PROBE_TIME_LIMIT: Duration = Duration::from_millis(500);
/// Longest list of models, in bytes.
const LIST_BYTES_MAX: usize = 1024 * 1024;
/// Most models of one server that are kept.
const MODELS_MAX: usize = 64;
/// Longest name of a model, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Parts of names of models that do not talk.
const NOT_FOR_CHAT: [&str; 6] = ["embed", "rerank", "whisper", "bge-", "minilm", "-tts"];

/// A name and a port for which there is no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` in {PORTS_VARIABLE} is not name:port; write it like ollama:11434,vllm:8000, or none")]
pub struct PortsError(pub String);

/// The usual servers.
pub fn usual_ports() -> Vec<(String, u16)> {
    USUAL.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect()
}

/// What [`PORTS_VARIABLE`] says.
pub fn parse_ports(text: &str) -> Result<Vec<(String, u16)>, PortsError> {
    if text.trim() == "none" {
        return Ok(Vec::new());
    }
    let parse = |part: &str| {
        let (name, port) = part.rsplit_once(':')?;
        let fine = !name.is_empty() && !name.contains(|c: char| c == '/' || c.is_whitespace());
        let port: u16 = port.parse().ok()?;
        (fine && port > 0).then(|| (name.to_owned(), port))
    };
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| parse(part).ok_or_else(|| PortsError(part.to_owned())))
        .collect()
}

/// The models of the servers that answer, as `(server, model)`, in the order of `ports`; all are
/// asked at once.
pub async fn local_models(web: &Web, ports: &[(String, u16)]) -> Vec<(String, String)> {
    let found = join_all(ports.iter().map(|(name, port)| async move {
        let models = tokio::time::timeout(PROBE_TIME_LIMIT, models_at(web, *port)).await;
        let models = models.ok().flatten().unwrap_or_default();
        tracing::debug!(server = name, port, models = models.len(), "looked for a model server");
        models.into_iter().map(|model| (name.clone(), model)).collect::<Vec<_>>()
    }));
    found.await.into_iter().flatten().collect()
}

async fn models_at(web: &Web, port: u16) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<Model>,
    }
    #[derive(Deserialize)]
    struct Model {
        id: String,
    }
    // Nobody listens there, mostly; that is found out without an HTTP client.
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let url = format!("http://127.0.0.1:{port}/v1/models");
    let mut response = web.loopback().ok()?.get(url).send().await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > LIST_BYTES_MAX {
            return None;
        }
    }
    let list: List = serde_json::from_slice(&body).ok()?;
    let mut seen = BTreeSet::new();
    let names = list.data.into_iter().map(|model| model.id);
    let talking = names.filter(|name| is_for_chat(name) && seen.insert(name.clone()));
    Some(talking.take(MODELS_MAX).collect())
}

fn is_for_chat(name: &str) -> bool {
    let lower = name.to_lowercase();
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.contains(|c: char| c.is_control() || c.is_whitespace())
        && !NOT_FOR_CHAT.iter().any(|part| lower.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        let ports = |text: &str| parse_ports(text).map_err(|error| error.0);
        let one = |name: &str, port| (name.to_owned(), port);
        assert_eq!(ports("none"), Ok(vec![]));
        assert_eq!(ports(""), Ok(vec![]));
        assert_eq!(ports("ollama:1, 自家:65535,"), Ok(vec![one("ollama", 1), one("自家", 65_535)]));
        for wrong in ["ollama", "ollama:", "ollama:0", "ollama:65536", ":1", "a/b:1"] {
            assert_eq!(ports(wrong), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn models_that_do_not_talk_are_left_out() {
        for (name, expect) in [
            ("qwen2.5:3b", true),
            ("/models/通义.gguf", true),
            ("nomic-embed-text:latest", false),
            ("text-Embedding-3", false),
            ("bge-m3", false),
            ("a b", false),
            ("", false),
        ] {
            assert_eq!(is_for_chat(name), expect, "{name}");
        }
    }
}
