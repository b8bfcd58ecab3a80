//! `wrap WIDTH`: wraps what it reads.

use std::io::{self, Read, Write};
use std::process::ExitCode;

fn main() -> io::Result<ExitCode> {
    let Some(width) = std::env::args().nth(1).and_then(|width| width.parse().ok()) else {
        writeln!(io::stderr(), "usage: wrap WIDTH < TEXT")?;
        return Ok(ExitCode::FAILURE);
    };
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    for line in wrap::wrap(&text, width) {
        writeln!(io::stdout(), "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}
