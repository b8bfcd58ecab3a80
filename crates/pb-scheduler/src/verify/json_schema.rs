//! Gate: a file is JSON and holds against a JSON Schema.

use std::path::Path;

use pb_model::spec::schema_problems;
use serde_json::{Map, Value};

use super::file_contains::read;
use super::{Found, inside};

/// Largest file that is read as JSON, in bytes.
const JSON_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Largest file that is read as a schema, in bytes.
const SCHEMA_BYTES_MAX: u64 = 1024 * 1024;

pub(super) fn check(
    workspace: &Path,
    path: &str,
    (schema, schema_path): (Option<&Map<String, Value>>, Option<&str>),
) -> Found {
    let schema = match (schema, schema_path) {
        (_, Some(path)) => read_json(workspace, path, SCHEMA_BYTES_MAX).map(|(schema, _)| schema),
        (Some(schema), None) => Ok(Value::Object(schema.clone())),
        (None, None) => Err("nothing to hold it against".to_owned()),
    };
    let (value, digest) = match read_json(workspace, path, JSON_BYTES_MAX) {
        Ok(read) => read,
        Err(why) => return Found::new(false, why),
    };
    let mut found = match schema.and_then(|schema| {
        schema_problems(&schema, &value).map_err(|why| format!("not a JSON Schema: {why}"))
    }) {
        Ok(problems) if problems.is_empty() => Found::new(true, "it holds against the schema"),
        Ok(problems) => {
            let mut found = Found::new(false, problems.first().cloned().unwrap_or_default());
            found.evidence.output_tail = problems.join("\n");
            found
        }
        Err(why) => Found::new(false, why),
    };
    found.evidence.output_digest = Some(digest);
    found
}

/// A file as JSON, with the digest of its bytes.
fn read_json(workspace: &Path, path: &str, bytes_max: u64) -> Result<(Value, String), String> {
    let content = read(&inside(workspace, path)?, path, bytes_max)?;
    let value = serde_json::from_slice(&content).map_err(|error| format!("{path} is not JSON: {error}"))?;
    Ok((value, blake3::hash(&content).to_hex().to_string()))
}
