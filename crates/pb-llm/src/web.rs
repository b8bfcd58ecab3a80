//! The HTTP client that all models share.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::Url;
use reqwest::redirect::Policy;

use crate::init_tls;

/// Longest time to connect, TLS included.
pub const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(10);
/// Idle connections that are kept for each host.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// How often an HTTP/2 connection is asked whether it still lives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// How long it has to answer.
const KEEP_ALIVE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Why there is no HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up HTTPS: {0}")]
pub struct WebError(Box<dyn std::error::Error + Send + Sync>);

/// Connections to models. Clones share them. A client is made when it is first needed: one takes
/// megabytes, and who runs goals without models, or with local ones only, needs none of the world.
#[derive(Debug, Clone, Default)]
pub struct Web(Arc<Clients>);

#[derive(Debug, Default)]
struct Clients {
    /// By the system's proxy, if there is one.
    outside: OnceLock<Result<Client, WebError>>,
    /// Never by a proxy: what is on this machine is not reached through another one. It trusts nobody's
    /// certificate, for it only speaks plain HTTP.
    loopback: OnceLock<Result<Client, WebError>>,
}

#[derive(Debug)]
struct Client {
    http: reqwest::Client,
    genai: genai::Client,
}

impl Web {
    /// The client that calls the models at `base_url`.
    pub(crate) fn models_at(&self, base_url: &Url) -> Result<&genai::Client, &WebError> {
        if base_url.scheme() == "http" && is_loopback(base_url) {
            return self.for_this_machine().map(|client| &client.genai);
        }
        let outside = self.0.outside.get_or_init(|| client(builder()));
        outside.as_ref().map(|client| &client.genai)
    }

    /// The client for everything else.
    pub(crate) fn outside(&self) -> Result<&reqwest::Client, &WebError> {
        self.0.outside.get_or_init(|| client(builder())).as_ref().map(|client| &client.http)
    }

    /// The client for this machine.
    pub(crate) fn loopback(&self) -> Result<&reqwest::Client, &WebError> {
        self.for_this_machine().map(|client| &client.http)
    }

    fn for_this_machine(&self) -> Result<&Client, &WebError> {
        self.0.loopback.get_or_init(|| client(builder().no_proxy().tls_certs_only([]))).as_ref()
    }
}

/// Whether it is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn builder() -> reqwest::ClientBuilder {
    // No total time-out: an answer takes as long as it takes, as long as something comes.
    reqwest::Client::builder()
        .user_agent(concat!("PonyBunny/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIME_LIMIT)
        // A redirect would take `x-api-key` to whoever it names.
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .gzip(true)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .http2_keep_alive_interval(Some(KEEP_ALIVE_INTERVAL))
        .http2_keep_alive_timeout(KEEP_ALIVE_TIME_LIMIT)
        .http2_adaptive_window(true)
}

fn client(builder: reqwest::ClientBuilder) -> Result<Client, WebError> {
    init_tls();
    let http = builder.build().map_err(|error| WebError(Box::new(error)))?;
    let genai = genai::Client::builder().with_reqwest(http.clone()).build();
    Ok(Client { http, genai: genai.map_err(|error| WebError(Box::new(error)))? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known() {
        for (url, expect) in [
            ("http://localhost:1/", true),
            ("http://a.localhost/", true),
            ("http://127.0.0.2:1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost.example/", false),
            ("http://127.0.0.1.example/", false),
            ("http://10.0.0.1/", false),
            ("https://api.anthropic.com/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expect, "{url}");
        }
    }
}
