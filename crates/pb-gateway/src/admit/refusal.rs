//! Why somebody is not let in, and what they are told.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the Host of this request is not this gateway")]
    ForeignHost,
    #[error("pages of another origin may not connect")]
    ForeignOrigin,
    #[error("a token has no place in a URL")]
    TokenInUrl,
    #[error("the token is not valid")]
    WrongToken,
    #[error("this browser's access has ended")]
    WrongCookie,
    #[error("this address was used already, or is too old")]
    WrongCode,
    #[error(
        "a browser is let in only where its connection is known to be of the user who runs the gateway, or comes \
         through TLS"
    )]
    BrowserOfAnother,
    #[error("too many wrong tokens came from here")]
    TooManyWrong { wait: Duration },
    #[error("a browser needs the token")]
    BrowserWithoutToken,
    #[error("a connection from another machine needs a token")]
    ElsewhereWithoutToken,
    #[error("the connection belongs to another user")]
    OtherUser,
    #[error("whose connection this is could not be found out")]
    UnknownUser,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::ForeignHost | Self::ForeignOrigin | Self::BrowserOfAnother => StatusCode::FORBIDDEN,
            Self::TokenInUrl => StatusCode::BAD_REQUEST,
            Self::TooManyWrong { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::WrongToken
            | Self::WrongCookie
            | Self::WrongCode
            | Self::BrowserWithoutToken
            | Self::ElsewhereWithoutToken
            | Self::OtherUser
            | Self::UnknownUser => StatusCode::UNAUTHORIZED,
        }
    }

    /// One word for it, as `/metrics` counts it and the console's page reads it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::ForeignHost => "foreign_host",
            Self::ForeignOrigin => "foreign_origin",
            Self::TokenInUrl => "token_in_url",
            Self::WrongToken => "wrong_token",
            Self::WrongCookie => "wrong_cookie",
            Self::WrongCode => "wrong_code",
            Self::BrowserOfAnother => "browser_of_another",
            Self::TooManyWrong { .. } => "too_many_wrong",
            Self::BrowserWithoutToken => "browser_without_token",
            Self::ElsewhereWithoutToken => "elsewhere_without_token",
            Self::OtherUser => "other_user",
            Self::UnknownUser => "unknown_user",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::ForeignHost => {
                "connect to 127.0.0.1, localhost or [::1] with the gateway's own port; from another machine, to its \
                 address or a name in `[gateway.tls] names`"
            }
            Self::ForeignOrigin => "only pages that the gateway itself serves may connect",
            Self::TokenInUrl => "send it as `Authorization: Bearer TOKEN`; URLs end up in logs",
            Self::WrongToken => {
                "the user who runs the gateway has one in $PB_HOME/token; `pb gateway pair` makes others"
            }
            Self::TooManyWrong { .. } => {
                "wait as long as `retry-after` says; each further wrong one doubles it"
            }
            Self::ElsewhereWithoutToken => {
                "send `Authorization: Bearer TOKEN`; `pb gateway pair`, on the gateway's machine, makes one"
            }
            Self::WrongCookie | Self::WrongCode => "open the console again with: pb console",
            Self::BrowserOfAnother => "open the console as the user who runs the gateway",
            Self::BrowserWithoutToken => {
                "open the console with: pb console; a program that says what browsers say sends \
                 `Authorization: Bearer TOKEN` with the content of $PB_HOME/token"
            }
            Self::OtherUser | Self::UnknownUser => {
                "send `Authorization: Bearer TOKEN` with the content of $PB_HOME/token"
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({"error": self.to_string(), "hint": self.hint(), "reason": self.reason()});
        let mut response = (self.status(), Json(body)).into_response();
        if let Self::TooManyWrong { wait } = self {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
