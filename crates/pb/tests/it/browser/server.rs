//! The servers of somebody who means harm: they have pages, hear what became of what these tried, and one of them
//! becomes the gateway once its page was fetched, as a name does that is bound anew.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use serde_json::Value;

/// What is served, and as what.
const FILES: [(&str, &str, &str); 3] = [
    ("/page.html", "text/html", include_str!("page.html")),
    ("/inside.html", "text/html", include_str!("inside.html")),
    ("/attack.js", "text/javascript", include_str!("attack.js")),
];

/// Serves on `at` for as long as the test; gives where, and what pages report.
pub(super) fn serve(at: SocketAddr, becomes: Option<SocketAddr>) -> (SocketAddr, Receiver<Value>) {
    let listener = TcpListener::bind(at).unwrap();
    let address = listener.local_addr().unwrap();
    let (reports, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, reports) = (stream.unwrap(), reports.clone());
            // A browser connects ahead of time, and leaves.
            thread::spawn(move || answer(stream, becomes, &reports));
        }
    });
    (address, heard)
}

fn answer(mut stream: TcpStream, becomes: Option<SocketAddr>, reports: &Sender<Value>) -> io::Result<()> {
    let mut request = Vec::new();
    let end = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read(&mut stream, &mut request)?;
    };
    let head = String::from_utf8_lossy(request.get(..end).unwrap()).into_owned();
    let path = head.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
    if let Some((_, kind, text)) = FILES.iter().find(|(file, ..)| *file == path) {
        return send(&mut stream, "200 OK", kind, text);
    }
    if path == "/report" {
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        while request.len() < end + length.unwrap_or(0) {
            read(&mut stream, &mut request)?;
        }
        // Nobody listens to a second one.
        let _ = reports.send(serde_json::from_slice(request.get(end..).unwrap()).unwrap());
        return send(&mut stream, "200 OK", "text/plain", "");
    }
    match becomes {
        Some(gateway) => join(stream, gateway, &request),
        None => send(&mut stream, "404 Not Found", "text/plain", ""),
    }
}

fn read(stream: &mut TcpStream, into: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer)? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => {
            into.extend_from_slice(buffer.get(..count).unwrap());
            Ok(())
        }
    }
}

fn send(stream: &mut TcpStream, status: &str, kind: &str, text: &str) -> io::Result<()> {
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{text}"
    )
}

/// From here on this connection is one to the gateway.
fn join(mut browser: TcpStream, gateway: SocketAddr, said: &[u8]) -> io::Result<()> {
    let mut gateway = TcpStream::connect(gateway)?;
    gateway.write_all(said)?;
    let (mut from_browser, mut to_gateway) = (browser.try_clone()?, gateway.try_clone()?);
    thread::spawn(move || {
        // Whoever ends first ends both.
        let _ = io::copy(&mut from_browser, &mut to_gateway);
        let _ = to_gateway.shutdown(Shutdown::Both);
    });
    let ended = io::copy(&mut gateway, &mut browser).map(|_| ());
    let _ = browser.shutdown(Shutdown::Both);
    ended
}
