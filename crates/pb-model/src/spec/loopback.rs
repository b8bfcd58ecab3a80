//! Addresses that a gate may ask: plain HTTP on this machine, and nothing else.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The port of a URL that names none.
const PORT_DEFAULT: u16 = 80;

/// A URL on this machine. Its host is one of three words, so no name is ever looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackUrl {
    /// The host and port as they stand in the URL, for the `Host` header.
    pub authority: String,
    /// Where it may be: `localhost` is both the old and the new loopback.
    pub addresses: Vec<SocketAddr>,
    /// Path and query, in ASCII.
    pub target: String,
}

impl LoopbackUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn read(url: &str) -> Result<Self, &'static str> {
        const HOST: &str = "the host is not 127.0.0.1, [::1] or localhost";
        let rest = url.strip_prefix("http://").ok_or("it does not begin with `http://`")?;
        if url.chars().any(|c| c.is_control() || c == ' ') || url.contains(['#', '\\']) {
            return Err("a space, a control character, `#` or `\\` is in it");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => inner.split_once(']').ok_or(HOST)?,
            None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len())).ok_or(HOST)?,
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok(),
            None if port.is_empty() => Some(PORT_DEFAULT),
            Some(_) | None => None,
        };
        let port = port.filter(|port| *port > 0).ok_or("the port is not 1 to 65535")?;
        let (old, new) = (IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST));
        let hosts = match (host, authority.starts_with('[')) {
            ("127.0.0.1", false) => vec![old],
            ("::1", true) => vec![new],
            ("localhost", false) => vec![old, new],
            _ => return Err(HOST),
        };
        Ok(Self {
            authority: authority.to_owned(),
            addresses: hosts.into_iter().map(|host| SocketAddr::new(host, port)).collect(),
            target: encoded(target),
        })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(PORT_DEFAULT, SocketAddr::port)
    }
}

/// Path and query as they are sent: what is not ASCII in percent signs.
fn encoded(target: &str) -> String {
    let mut ascii = if target.starts_with('/') { String::new() } else { "/".to_owned() };
    for byte in target.bytes() {
        if byte.is_ascii() {
            ascii.push(char::from(byte));
        } else {
            let _ = write!(ascii, "%{byte:02X}");
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::LoopbackUrl;

    #[test]
    fn security_22_only_this_machine_is_asked() {
        for (url, addresses, target) in [
            ("http://127.0.0.1:8080/a?b=1", "127.0.0.1:8080", "/a?b=1"),
            ("http://[::1]:9", "[::1]:9", "/"),
            ("http://localhost:81?小马", "127.0.0.1:81 [::1]:81", "/?%E5%B0%8F%E9%A9%AC"),
            ("http://localhost/", "127.0.0.1:80 [::1]:80", "/"),
        ] {
            let read = LoopbackUrl::read(url).unwrap();
            let found: Vec<String> = read.addresses.iter().map(ToString::to_string).collect();
            assert_eq!((found.join(" ").as_str(), read.target.as_str()), (addresses, target), "{url}");
        }
        for url in [
            "https://127.0.0.1/",
            "http://127.0.0.2/",
            "http://127.1/",
            "http://0.0.0.0:80/",
            "http://169.254.169.254/latest",
            "http://localhost.example.org/",
            "http://LOCALHOST/",
            "http://localhost@example.org/",
            "http://user:pass@127.0.0.1/",
            "http://127.0.0.1:80@example.org/",
            "http://127.0.0.1\\@example.org/",
            "http://[::ffff:127.0.0.1]/",
            "http://::1/",
            "http://[127.0.0.1]/",
            "http://127.0.0.1:0/",
            "http://127.0.0.1:+80/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:80/\r\nHost: x",
            "http://[::1]x/",
            "http://",
            "file:///etc/passwd",
        ] {
            assert!(LoopbackUrl::read(url).is_err(), "{url}");
        }
    }
}
