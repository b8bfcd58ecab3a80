//! The system's journal, where a service manager reads what its services tell.
//!
//! Written here and not by a library: what leaves for the journal goes the same way as what leaves for a file, so that
//! keys are taken out in one place, and the tests listen on a socket of their own.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value};

/// Where the journal listens (systemd-journald.service(8)).
const SOCKET: &str = "/run/systemd/journal/socket";
/// The variable that says which stream is the journal's (systemd.exec(5)).
const STREAM_VARIABLE: &str = "JOURNAL_STREAM";
/// Longest value of a field, in bytes; the rest is cut off. Some of them fit into a datagram.
const VALUE_BYTES_MAX: usize = 16 * 1024;
/// Most fields of a line.
const FIELDS_MAX: usize = 64;
/// Longest name of a field (systemd.journal-fields(7)).
const NAME_BYTES_MAX: usize = 64;

/// The journal, as this process writes to it.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Sender>);

#[derive(Debug)]
struct Sender {
    socket: UnixDatagram,
    to: PathBuf,
    process: String,
    /// Lines that the journal did not take since the last one that it did.
    lost: AtomicU64,
}

/// Whether what this process prints on standard error goes to the journal.
pub fn is_stderr() -> bool {
    let Some(stream) = crate::environment::text(STREAM_VARIABLE) else { return false };
    let Ok(stat) = rustix::fs::fstat(std::io::stderr()) else { return false };
    names(&stream, stat.st_dev, stat.st_ino)
}

/// Whether `JOURNAL_STREAM` names this file. A process that was given another standard error still has the variable.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    let named = stream
        .split_once(':')
        .and_then(|(device, inode)| Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?)));
    named == Some((device, inode))
}

impl Journal {
    /// The journal of this machine, for the process of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn of_machine(process: &str) -> io::Result<Self> {
        Self::at(Path::new(SOCKET), process)
    }

    fn at(path: &Path, process: &str) -> io::Result<Self> {
        // That there is one; who listens may be another one by the next line.
        path.metadata().map(|meta| meta.mode())?;
        let socket = UnixDatagram::unbound()?;
        // A journal that does not keep up is not waited for.
        socket.set_nonblocking(true)?;
        let sender =
            Sender { socket, to: path.to_owned(), process: process.to_owned(), lost: AtomicU64::new(0) };
        Ok(Self(Arc::new(sender)))
    }

    /// Sends a line of JSON. One that the journal does not take is lost and counted.
    pub(super) fn line(&self, line: &str) {
        let sender = &self.0;
        let lost = sender.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let told =
                serde_json::json!({"level": "WARN", "message": "lines of the log were lost", "lost": lost});
            if !sender.send(&told.to_string()) {
                sender.lost.fetch_add(lost + 1, Ordering::Relaxed);
                return;
            }
        }
        if !sender.send(line) {
            sender.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Sender {
    fn send(&self, line: &str) -> bool {
        self.socket.send_to(&entry(&self.process, line), &self.to).is_ok()
    }
}

/// A line of JSON as an entry of the journal (systemd's `JOURNAL_NATIVE_PROTOCOL`).
fn entry(process: &str, line: &str) -> Vec<u8> {
    let mut fields: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let message = match fields.shift_remove("message") {
        Some(message) => text(&message),
        None if fields.is_empty() => line.trim_end().to_owned(),
        None => String::new(),
    };
    let level = fields.shift_remove("level");
    let priority = match level.as_ref().and_then(Value::as_str) {
        Some("ERROR") => "3",
        Some("WARN") => "4",
        Some("DEBUG" | "TRACE") => "7",
        Some(_) | None => "6",
    };
    // The journal has its own.
    fields.shift_remove("timestamp");
    let mut entry = Vec::new();
    for (name, value) in [("MESSAGE", message.as_str()), ("PRIORITY", priority)] {
        put(&mut entry, name, value);
    }
    put(&mut entry, "SYSLOG_IDENTIFIER", &format!("pb-{process}"));
    for (name, value) in fields.iter().take(FIELDS_MAX) {
        put(&mut entry, &field_name(name), &text(value));
    }
    entry
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `PB_GOAL` for `goal`: letters, digits and underscores only.
fn field_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    "PB_".chars().chain(name.chars().map(plain)).take(NAME_BYTES_MAX).collect()
}

/// A value of several lines is preceded by its length.
fn put(entry: &mut Vec<u8>, name: &str, value: &str) {
    let value = value.get(..value.floor_char_boundary(VALUE_BYTES_MAX)).unwrap_or_default();
    entry.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        entry.push(b'\n');
        entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        entry.push(b'=');
    }
    entry.extend_from_slice(value.as_bytes());
    entry.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stream_that_the_variable_names_is_the_journal() {
        assert!(names("8:1234", 8, 1234));
        for other in ["8:1235", "9:1234", "8", "", "8:", ":1234", "a:b", "8:1234:1"] {
            assert!(!names(other, 8, 1234), "{other}");
        }
    }

    #[test]
    fn a_line_becomes_an_entry_with_fields_of_ours() {
        let line = r#"{"timestamp":"t","level":"WARN","message":"two\nlines","goal":"goal_1","my-n":3,"target":"pb"}"#;
        let mut expect =
            b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY=4\nSYSLOG_IDENTIFIER=pb-gateway\n".to_vec();
        expect.extend_from_slice(b"PB_GOAL=goal_1\nPB_MY_N=3\nPB_TARGET=pb\n");
        assert_eq!(entry("gateway", line), expect);
        let plain = entry("gateway", "no JSON\n");
        assert!(plain.starts_with(b"MESSAGE=no JSON\nPRIORITY=6\n"));
        let long =
            entry("gateway", &serde_json::json!({"message": "长".repeat(VALUE_BYTES_MAX)}).to_string());
        assert!(long.len() < VALUE_BYTES_MAX + 100 && std::str::from_utf8(&long).is_ok());
    }

    #[test]
    fn what_the_journal_does_not_take_is_counted_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(Journal::at(&path, "gateway").is_err(), "there is none");
        let listener = UnixDatagram::bind(&path).unwrap();
        let journal = Journal::at(&path, "gateway").unwrap();
        let mut sent = 0;
        while journal.0.lost.load(Ordering::Relaxed) < 3 {
            journal.line(&serde_json::json!({"message": "x", "n": sent}).to_string());
            sent += 1;
        }
        let mut bytes = [0; 4096];
        let mut read = || {
            let count = listener.recv(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes[..count]).into_owned()
        };
        for n in 0..sent - 3 {
            assert!(read().ends_with(&format!("\nPB_N={n}\n")));
        }
        journal.line(r#"{"message":"again"}"#);
        let (told, again) = (read(), read());
        assert!(told.contains("lines of the log were lost") && told.contains("PB_LOST=3\n"), "{told}");
        assert!(again.starts_with("MESSAGE=again\n"), "{again}");
    }
}
