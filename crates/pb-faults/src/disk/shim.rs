//! The shim: a small C library, built at the start of a fault and preloaded into a writer.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::command::program;

const SOURCE: &str = include_str!("../../shim/shim.c");

/// The built library.
#[derive(Debug)]
pub struct Shim {
    library: PathBuf,
}

/// A call that fails on purpose.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    /// Which call, from 1.
    pub call: u64,
    /// The error that it gives.
    pub error: Errno,
}

/// Errors of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errno {
    /// The device failed.
    Io,
    /// There is no space.
    NoSpace,
}

impl Errno {
    /// Linux's number for it.
    fn number(self) -> u32 {
        match self {
            Self::Io => 5,
            Self::NoSpace => 28,
        }
    }
}

impl Shim {
    /// Builds it in `folder`.
    ///
    /// # Errors
    /// There is no C compiler, or it refuses.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let source = folder.join("shim.c");
        let library = folder.join("shim.so");
        std::fs::write(&source, SOURCE)?;
        let mut compiler = program("cc");
        compiler
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(&source)
            .args(["-ldl", "-lpthread"]);
        let output = compiler
            .stdin(Stdio::null())
            .output()
            .context("cannot run the C compiler `cc`, which builds the shim of F3 and F7")?;
        if !output.status.success() {
            bail!("`cc` cannot build the shim: {}", String::from_utf8_lossy(&output.stderr).trim_end());
        }
        Ok(Self { library })
    }

    /// Has `command` record what it does to the files below `folder`, and fail where it is told to.
    pub fn preload(&self, command: &mut Command, folder: &Path, recording: &Path, failure: Option<Failure>) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("PB_SHIM_FOLDER", folder)
            .env("PB_SHIM_RECORDING", recording);
        if let Some(failure) = failure {
            command.env("PB_SHIM_FAIL_AT", failure.call.to_string());
            command.env("PB_SHIM_ERRNO", failure.error.number().to_string());
        }
    }
}
