//! The files of the page.

use std::path::Path;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// Everything is from here, nothing is put into the page as text that runs, and no page has ours in a frame.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A file of the page.
#[derive(Debug)]
pub(crate) struct File {
    /// Its name among what is built.
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    tag: OnceLock<String>,
}

/// A file that was built, by its name there.
macro_rules! built {
    ($name:literal, $kind:expr) => {
        File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("../../dist/", $name)),
            tag: OnceLock::new(),
        }
    };
}

static INDEX: File = built!("index.html", "text/html; charset=utf-8");
static OTHERS: [File; 8] = [
    built!("app.js", SCRIPT),
    built!("shared.js", SCRIPT),
    built!("layout.js", SCRIPT),
    built!("Trace.js", SCRIPT),
    built!("Replay.js", SCRIPT),
    built!("zh.js", SCRIPT),
    built!("app.css", "text/css; charset=utf-8"),
    built!("icon.svg", "image/svg+xml; charset=utf-8"),
];

/// The file of this path.
pub(crate) fn file_at(path: &str) -> Option<&'static File> {
    match path.strip_prefix('/')? {
        "" => Some(&INDEX),
        name => OTHERS.iter().find(|file| file.name == name),
    }
}

impl File {
    /// The answer. While somebody works on the page, `from` is the folder that it is built into.
    pub(crate) fn answer(&self, headers: &HeaderMap, from: Option<&Path>) -> Response {
        let fresh = from.and_then(|folder| std::fs::read(folder.join(self.name)).ok());
        let tag = match &fresh {
            Some(bytes) => tag(bytes),
            None => self.tag.get_or_init(|| tag(self.bytes)).clone(),
        };
        let said = [
            (CONTENT_TYPE, self.kind.to_owned()),
            (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
            // Kept by the browser, and asked for each time: after an upgrade the page is the new one at once.
            (CACHE_CONTROL, "no-cache".to_owned()),
            (ETAG, tag.clone()),
        ];
        let is_known = headers
            .get(IF_NONE_MATCH)
            .and_then(|tags| tags.to_str().ok())
            .is_some_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
        if is_known {
            return (StatusCode::NOT_MODIFIED, said).into_response();
        }
        let body = fresh.map_or(Bytes::from_static(self.bytes), Bytes::from);
        (said, body).into_response()
    }
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", blake3::hash(bytes).to_hex())
}
