//! Gate: a file contains a text or matches a regular expression.

use std::io::Read;
use std::path::Path;

use super::{Found, inside};

/// Largest file that is searched, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn check(workspace: &Path, path: &str, text: Option<&str>, regex: Option<&str>) -> Found {
    let content = match inside(workspace, path).and_then(|real| read(&real, path)) {
        Ok(content) => content,
        Err(why) => return Found::new(false, why),
    };
    let mut found = match (text, regex) {
        (Some(text), _) => {
            match content.windows(text.len().max(1)).position(|window| window == text.as_bytes()) {
                Some(at) => Found::new(true, format!("found in line {}", line_of(&content, at))),
                None => Found::new(false, "the text is not in it"),
            }
        }
        (None, Some(pattern)) => match regex::bytes::RegexBuilder::new(pattern).multi_line(true).build() {
            Ok(regex) => match regex.find(&content) {
                Some(hit) => Found::new(true, format!("matches in line {}", line_of(&content, hit.start()))),
                None => Found::new(false, "no line of it matches"),
            },
            Err(error) => Found::new(false, format!("not a regular expression: {error}")),
        },
        (None, None) => Found::new(false, "nothing to look for"),
    };
    found.evidence.output_digest = Some(blake3::hash(&content).to_hex().to_string());
    found
}

fn read(real: &Path, path: &str) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("{path} cannot be read: {error}");
    let file = std::fs::File::open(real).map_err(cannot)?;
    let mut content = Vec::new();
    let bytes = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(cannot)?;
    if bytes as u64 > FILE_BYTES_MAX {
        return Err(format!("{path} is larger than {FILE_BYTES_MAX} bytes"));
    }
    Ok(content)
}

fn line_of(content: &[u8], at: usize) -> usize {
    content.iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
