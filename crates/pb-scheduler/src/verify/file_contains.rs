//! Gate: a file contains a text or matches a regular expression.

use std::io::Read;
use std::path::Path;

use super::pattern::Pattern;
use super::{Found, inside};

/// Largest file that is searched, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn check(workspace: &Path, path: &str, pattern: Pattern<'_>) -> Found {
    let content = match inside(workspace, path).and_then(|real| read(&real, path, FILE_BYTES_MAX)) {
        Ok(content) => content,
        Err(why) => return Found::new(false, why),
    };
    let mut found = match (pattern.line(&content), pattern.text) {
        (Ok(Some(line)), Some(_)) => Found::new(true, format!("found in line {line}")),
        (Ok(Some(line)), None) => Found::new(true, format!("matches in line {line}")),
        (Ok(None), Some(_)) => Found::new(false, "the text is not in it"),
        (Ok(None), None) => Found::new(false, "no line of it matches"),
        (Err(why), _) => Found::new(false, why),
    };
    found.evidence.output_digest = Some(blake3::hash(&content).to_hex().to_string());
    found
}

/// A whole file of at most so many bytes.
pub(super) fn read(real: &Path, path: &str, bytes_max: u64) -> Result<Vec<u8>, String> {
    let cannot = |error: std::io::Error| format!("{path} cannot be read: {error}");
    if !real.metadata().map_err(cannot)?.is_file() {
        return Err(format!("{path} is not a file"));
    }
    let file = std::fs::File::open(real).map_err(cannot)?;
    let mut content = Vec::new();
    let bytes = file.take(bytes_max + 1).read_to_end(&mut content).map_err(cannot)?;
    if bytes as u64 > bytes_max {
        return Err(format!("{path} is larger than {bytes_max} bytes"));
    }
    Ok(content)
}
