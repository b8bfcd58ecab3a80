//! The beginning and the end of what a tool wrote, and a digest of all of it.

use std::collections::VecDeque;
use std::str::from_utf8;

/// How many bytes of the beginning of the output are kept.
pub const OUTPUT_HEAD_BYTES_MAX: usize = 64 * 1024;

/// How many bytes of the end of the output are kept.
pub const OUTPUT_TAIL_BYTES_MAX: usize = 64 * 1024;

/// The longest UTF-8 encoding of a character, in bytes.
const CHARACTER_BYTES_MAX: usize = 4;

/// What a tool wrote, cut in the middle when it is too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The first bytes, at most [`OUTPUT_HEAD_BYTES_MAX`].
    pub head: Vec<u8>,
    /// The last bytes after the head, at most [`OUTPUT_TAIL_BYTES_MAX`].
    pub tail: Vec<u8>,
    /// How many bytes there were in all.
    pub bytes_total: u64,
    /// BLAKE3 of all bytes, also those left out, in hex.
    pub digest: String,
}

impl Output {
    /// The output as text: head, a line saying how much is missing (if any is), tail.
    ///
    /// The cut never shows half a character; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        let kept = (self.head.len() + self.tail.len()) as u64;
        if self.bytes_total <= kept {
            let whole = [self.head.as_slice(), self.tail.as_slice()].concat();
            return String::from_utf8_lossy(&whole).into_owned();
        }
        let head = without_broken_end(&self.head);
        let tail = without_broken_start(&self.tail);
        let left_out = self.bytes_total - (head.len() + tail.len()) as u64;
        format!(
            "{}\n… {left_out} bytes left out …\n{}",
            String::from_utf8_lossy(head),
            String::from_utf8_lossy(tail)
        )
    }
}

/// Cuts the unfinished character, if any, off the end.
fn without_broken_end(bytes: &[u8]) -> &[u8] {
    let window = bytes.len().saturating_sub(CHARACTER_BYTES_MAX);
    let start = (window..bytes.len())
        .rev()
        .find(|&index| bytes.get(index).is_some_and(|byte| !is_continuation(*byte)));
    let Some((whole, last)) = start.and_then(|index| bytes.split_at_checked(index)) else {
        return bytes;
    };
    // `error_len` is `None` only for a sequence that is right so far but ends too early.
    match from_utf8(last) {
        Err(error) if error.error_len().is_none() => whole,
        _ => bytes,
    }
}

/// Cuts the rest of a character that began before the cut off the start.
fn without_broken_start(bytes: &[u8]) -> &[u8] {
    let rest = bytes.iter().take(CHARACTER_BYTES_MAX - 1).take_while(|byte| is_continuation(**byte)).count();
    bytes.get(rest..).unwrap_or_default()
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Takes all bytes in and keeps a bounded part of them.
#[derive(Debug, Default)]
pub(crate) struct Collector {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    bytes_total: u64,
    hasher: blake3::Hasher,
}

impl Collector {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes_total += bytes.len() as u64;
        self.hasher.update(bytes);
        let room = OUTPUT_HEAD_BYTES_MAX - self.head.len();
        let (head, rest) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        let rest = match rest.len().checked_sub(OUTPUT_TAIL_BYTES_MAX) {
            Some(skipped) => rest.get(skipped..).unwrap_or_default(),
            None => rest,
        };
        let excess = (self.tail.len() + rest.len()).saturating_sub(OUTPUT_TAIL_BYTES_MAX);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    pub(crate) fn finish(self) -> Output {
        Output {
            head: self.head,
            tail: self.tail.into(),
            bytes_total: self.bytes_total,
            digest: self.hasher.finalize().to_hex().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(chunks: &[&[u8]]) -> Output {
        let mut collector = Collector::default();
        for chunk in chunks {
            collector.push(chunk);
        }
        collector.finish()
    }

    #[test]
    fn what_fits_comes_back_whole_however_it_was_chunked() {
        let text = "中文输出".repeat(9_000); // 108,000 bytes: over the head, across its seam.
        for size in [1, 7, 4096, 200_000] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let output = collect(&chunks);
            assert_eq!(output.text(), text, "chunks of {size}");
            assert_eq!(output.digest, blake3::hash(text.as_bytes()).to_hex().to_string());
        }
    }

    #[test]
    fn a_cut_keeps_both_ends_and_no_half_characters() {
        for shift in 0..3 {
            let text = format!("{}{}", "a".repeat(shift), "文".repeat(100_000));
            let output = collect(&[text.as_bytes()]);
            assert_eq!(output.head.len(), OUTPUT_HEAD_BYTES_MAX);
            assert_eq!(output.tail.len(), OUTPUT_TAIL_BYTES_MAX);
            assert_eq!(output.bytes_total, text.len() as u64);
            let shown = output.text();
            assert!(!shown.contains('\u{fffd}'), "shift {shift}");
            let (head, rest) = shown.split_once("\n… ").unwrap();
            let (left_out, tail) = rest.split_once(" bytes left out …\n").unwrap();
            let left_out: usize = left_out.parse().unwrap();
            assert_eq!(head.len() + left_out + tail.len(), text.len());
            assert!(text.starts_with(head) && text.ends_with(tail));
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_bytes() {
        let output = collect(&[&[0xff, 0xfe, b'x']]);
        assert_eq!(output.head, [0xff, 0xfe, b'x']);
        assert_eq!(output.text(), "\u{fffd}\u{fffd}x");
    }
}
