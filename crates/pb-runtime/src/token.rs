//! The token that our own clients use: made once, readable by us alone.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Reads the token.
pub fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(4096).read_to_string(&mut text)?;
    let token = text.trim().to_owned();
    crate::secrets::hold(&token);
    Ok(token)
}

/// Reads the token, or makes one of 256 random bits. Never none.
pub fn read_or_make(path: &Path) -> std::io::Result<String> {
    match read(path) {
        Ok(token) if !token.is_empty() => return Ok(token),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let (high, low): (u128, u128) = rand::random();
    let token = format!("{high:032x}{low:032x}");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    crate::secrets::hold(&token);
    Ok(token)
}
