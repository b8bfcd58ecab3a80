//! An HTTP client that shows each chunk as it came, and whether the end did.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

/// The longest any byte may take to come.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// An answer as far as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header lines, in lower case.
    pub(crate) headers: Vec<String>,
    /// The chunks of the body; one if it was not chunked.
    pub(crate) chunks: Vec<String>,
    /// Whether it ended as HTTP asks.
    pub(crate) complete: bool,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        self.chunks.concat()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The data of each event, as JSON where it is.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
    }
}

/// A connection on which a request was sent and whose answer is read when the test wants it.
#[derive(Debug)]
pub(crate) struct Asked {
    stream: TcpStream,
    read: Vec<u8>,
}

/// Sends a request.
pub(crate) fn send(address: SocketAddr, path: &str, headers: &[&str], body: &Value) -> Asked {
    send_text(address, path, headers, &body.to_string())
}

/// Sends a request whose body need not be JSON.
pub(crate) fn send_text(address: SocketAddr, path: &str, headers: &[&str], body: &str) -> Asked {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    let headers = headers.iter().flat_map(|line| [line, "\r\n"]).collect::<String>();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    Asked { stream, read: Vec::new() }
}

/// Sends a request and reads all of its answer.
pub(crate) fn ask(address: SocketAddr, path: &str, body: &Value) -> Answer {
    send(address, path, &[], body).answer()
}

impl Asked {
    /// Reads until the server closes the connection.
    pub(crate) fn answer(mut self) -> Answer {
        while self.read_some() {}
        answer(&self.read)
    }

    /// Reads so many chunks, and leaves.
    pub(crate) fn leave_after(mut self, chunks: usize) {
        while answer(&self.read).chunks.len() < chunks {
            assert!(self.read_some(), "it ended: {:?}", answer(&self.read));
        }
    }

    /// Reads so many chunks, and then that nothing follows for a while.
    pub(crate) fn silent_after(mut self, chunks: usize) -> Answer {
        while answer(&self.read).chunks.len() < chunks {
            assert!(self.read_some(), "it ended: {:?}", answer(&self.read));
        }
        // wait: that nothing comes can only be seen by giving it time.
        self.stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let error = self.stream.read(&mut [0]).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
        answer(&self.read)
    }

    fn read_some(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let count = match self.stream.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing came in {WAIT_LIMIT:?}: {error}"),
        };
        self.read.extend_from_slice(&buffer[..count]);
        count > 0
    }
}

fn answer(bytes: &[u8]) -> Answer {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    let headers: Vec<String> = lines.map(str::to_lowercase).collect();
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut answer = Answer { status, headers, chunks: Vec::new(), complete: false };
    if answer.header("transfer-encoding") == Some("chunked") {
        let mut rest = body;
        while let Some((size, after)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                answer.complete = true;
                break;
            }
            let Some((chunk, next)) = after.split_at_checked(size + "\r\n".len()) else {
                break; // Not all of it has come.
            };
            answer.chunks.push(chunk[..size].to_owned());
            rest = next;
        }
    } else {
        let length: usize = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.complete = body.len() == length && status != 0;
        answer.chunks.push(body.to_owned());
    }
    answer
}

/// A request in the format of chat completions, after so many answers.
pub(crate) fn openai(question: &str, answers: usize) -> Value {
    let mut messages = vec![json!({"role": "system", "content": "你是一匹小马"})];
    messages.push(json!({"role": "user", "content": question}));
    for n in 0..answers {
        messages.push(json!({"role": "assistant", "content": format!("answer {n}")}));
        messages.push(json!({"role": "user", "content": "go on"}));
    }
    json!({"model": "pony-1", "messages": messages})
}

/// The same request for a stream that ends with a count of tokens.
pub(crate) fn streamed(mut request: Value) -> Value {
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    request
}
