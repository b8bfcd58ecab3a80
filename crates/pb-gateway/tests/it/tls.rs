//! Connections from other machines (`security.md` 1-3, 10). The other machine is this one, by an address of its that is
//! not loopback.

use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use pb_gateway::{Remote, TlsSettings};
use pretty_assertions::assert_eq;
use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Client, Running, TestHome, goal_params, tell, within};

/// An address of this machine that others reach; `None`, and a word about it, where there is none.
fn reachable() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent: this asks only by which address it would be.
    let found = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).ok();
    let found = found.map(|address| address.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified());
    if found.is_none() {
        tell("skipped: this machine has no address but loopback");
    }
    found
}

/// Takes the one certificate with this fingerprint.
#[derive(Debug)]
struct Pinned(String);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_it = hex::encode(digest::digest(&digest::SHA256, cert)) == self.0;
        is_it
            .then(ServerCertVerified::assertion)
            .ok_or_else(|| Error::General("another certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

async fn open(at: &TestHome, host: String) -> Running {
    let mut config = at.config();
    config.host = host;
    config.tls = Some(TlsSettings::SelfSigned);
    config.names = vec!["box.example".to_owned()];
    Running::start(config).await.unwrap()
}

fn remote(gateway: &Running, ip: IpAddr) -> (std::net::SocketAddr, String) {
    let Remote { address, fingerprint } = gateway.remote.clone().unwrap();
    ((ip, address.port()).into(), fingerprint)
}

async fn encrypted(gateway: &Running, ip: IpAddr) -> TlsStream<TcpStream> {
    let (address, fingerprint) = remote(gateway, ip);
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(fingerprint)))
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    within("TLS", connector.connect(ServerName::IpAddress(ip.into()), stream)).await.unwrap()
}

async fn connect(gateway: &Running, ip: IpAddr, headers: &[(&str, &str)]) -> Result<Client, u16> {
    let address = remote(gateway, ip).0;
    Client::unknown(encrypted(gateway, ip).await, address, "/", headers).await
}

/// The status of a request without a WebSocket.
async fn status(gateway: &Running, ip: IpAddr, path: &str) -> u16 {
    let mut stream = encrypted(gateway, ip).await;
    let host = remote(gateway, ip).0;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_10_other_machines_come_in_through_tls_and_with_a_token() {
    let Some(ip) = reachable() else { return };
    for host in [ip.to_string(), "0.0.0.0".to_owned()] {
        let at = TestHome::new();
        let gateway = open(&at, host).await;
        let bearer = format!("Bearer {}", at.token());
        let mut client = connect(&gateway, ip, &[("Authorization", &bearer)]).await.unwrap();
        assert_eq!(client.event().await["event"], "connection.authenticated");
        let goal = client.call("goal.submit", goal_params("from afar 远方")).await.unwrap();
        assert_eq!(goal["status"], "queued");
        // Programs of this machine need no TLS, and see the same.
        let mut here = Client::connect(gateway.address).await;
        assert_eq!(gateway.address.port(), remote(&gateway, ip).0.port());
        assert_eq!(here.call("goal.list", json!({})).await.unwrap()["goals"][0]["title"], "from afar 远方");
        let (closed, ()) = tokio::join!(client.closed(), gateway.stop());
        assert_eq!(closed, Some((1001, "Server shutting down".to_owned())), "goodbye comes through TLS");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn security_01_and_03_from_another_machine_every_route_needs_more_than_being_there() {
    let Some(ip) = reachable() else { return };
    let at = TestHome::new();
    let gateway = open(&at, "0.0.0.0".to_owned()).await;
    assert_eq!(status(&gateway, ip, "/livez").await, 200);
    for path in ["/", "/events", "/metrics", "/readyz", "/version", "/nowhere"] {
        assert_eq!(status(&gateway, ip, path).await, 401, "{path}");
    }
    let bearer = format!("Bearer {}", at.token());
    let port = gateway.address.port();
    for (header, value, refused) in [
        ("Host", "evil.example".to_owned(), true),
        ("Host", format!("evil.example:{port}"), true),
        ("Host", format!("127.0.0.1:{port}"), true),
        ("Host", format!("box.example:{port}"), false),
        ("Origin", "null".to_owned(), true),
        ("Origin", format!("http://{ip}:{port}"), true),
        ("Origin", format!("https://evil.example:{port}"), true),
        ("Origin", format!("https://{ip}:{port}"), false),
        ("Origin", format!("https://box.example:{port}"), false),
    ] {
        let came = connect(&gateway, ip, &[("Authorization", &bearer), (header, &value)]).await;
        assert_eq!(came.err(), refused.then_some(403), "{header}: {value}");
    }
    // Without a token it may say who it is, and nothing else.
    let mut client = connect(&gateway, ip, &[]).await.unwrap();
    assert_eq!(client.call("goal.list", json!({})).await.unwrap_err()["code"], -32001);
    client.call("auth.token", json!({"token": at.token()})).await.unwrap();
    client.call("goal.list", json!({})).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_encrypted_gets_no_answer_from_another_machine() {
    let Some(ip) = reachable() else { return };
    let at = TestHome::new();
    let gateway = open(&at, ip.to_string()).await;
    let address = remote(&gateway, ip).0;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET /livez HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    within("its end", async {
        let _ = stream.read_to_end(&mut answer).await; // A reset is an end too.
    })
    .await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
    Client::connect(gateway.address).await.ping().await;
}
