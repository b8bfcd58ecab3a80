//! Where a provider is: what people write, made into what the `genai` crate wants.
//!
//! | kind | written | used |
//! |---|---|---|
//! | openai | `https://host`, `https://host/` | `https://host/v1/` |
//! | openai | `https://host/v1`, `https://host/api/v3/` | the same, with one `/` at its end |
//! | anthropic | `https://host`, `https://host/v1`, `https://host/anthropic` | `…/v1/` |
//! | gemini | `https://host`, `https://host/v1beta`, `https://host/gemini` | `…/v1beta/` |
//!
//! The endpoint itself may be written too (`…/chat/completions`, `…/messages`): it is cut off.

use pb_runtime::config::ProviderKind;
use reqwest::Url;

/// Endpoints that people copy with the rest.
const ENDPOINTS: [&str; 3] = ["/chat/completions", "/messages", "/models"];

/// Why a base URL is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// It is no URL.
    #[error("it is no URL; write it like https://host/v1")]
    Invalid,
    /// It is not `http` or `https`.
    #[error("it is neither http:// nor https://")]
    Scheme,
    /// It holds a user or a password: these are shown and stored.
    #[error("it holds a user name or a password; name the key's variable in `key_env`")]
    Credentials,
    /// It has a query or a fragment.
    #[error("it has a `?` or a `#`; only a path may follow the host")]
    Query,
}

/// What `written` means for a provider of this kind; ends with a slash.
pub(crate) fn normalize(kind: ProviderKind, written: &str) -> Result<Url, BaseUrlError> {
    let mut url = Url::parse(written.trim()).map_err(|_| BaseUrlError::Invalid)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BaseUrlError::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BaseUrlError::Query);
    }
    let path = url.path().trim_end_matches('/');
    let path = ENDPOINTS.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let version = path.rsplit('/').next().unwrap_or_default();
    let path = match kind {
        ProviderKind::OpenAi if path.is_empty() => "/v1/".to_owned(),
        ProviderKind::OpenAi => format!("{path}/"),
        ProviderKind::Anthropic if version == "v1" => format!("{path}/"),
        ProviderKind::Anthropic => format!("{path}/v1/"),
        ProviderKind::Gemini if version.starts_with("v1") => format!("{path}/"),
        ProviderKind::Gemini => format!("{path}/v1beta/"),
    };
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood() {
        use ProviderKind::{Anthropic, Gemini, OpenAi};
        for (kind, written, used) in [
            (OpenAi, "https://api.openai.com", "https://api.openai.com/v1/"),
            (OpenAi, " http://127.0.0.1:11434/ ", "http://127.0.0.1:11434/v1/"),
            (OpenAi, "http://h:1/v1", "http://h:1/v1/"),
            (OpenAi, "http://h:1/v1//", "http://h:1/v1/"),
            (OpenAi, "https://h/api/v3", "https://h/api/v3/"),
            (OpenAi, "https://h/v1/chat/completions", "https://h/v1/"),
            (Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/"),
            (Anthropic, "https://api.anthropic.com/v1/", "https://api.anthropic.com/v1/"),
            (Anthropic, "https://h/anthropic", "https://h/anthropic/v1/"),
            (Anthropic, "https://h/v1/messages", "https://h/v1/"),
            (Gemini, "https://h", "https://h/v1beta/"),
            (Gemini, "https://h/v1", "https://h/v1/"),
            (Gemini, "https://h/v1beta/models", "https://h/v1beta/"),
            (Gemini, "https://h/gemini", "https://h/gemini/v1beta/"),
        ] {
            assert_eq!(normalize(kind, written).unwrap().as_str(), used, "{kind:?} {written}");
        }
        for (written, error) in [
            ("api.openai.com/v1", BaseUrlError::Invalid),
            ("", BaseUrlError::Invalid),
            ("localhost:11434", BaseUrlError::Scheme),
            ("ftp://h", BaseUrlError::Scheme),
            ("https://u:p@h/v1", BaseUrlError::Credentials),
            ("https://h/v1?key=1", BaseUrlError::Query),
        ] {
            assert_eq!(normalize(OpenAi, written), Err(error), "{written}");
        }
    }
}
