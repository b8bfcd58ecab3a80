//! The file of the unit, among those of the person.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use pb_runtime::environment;

use super::{UNIT, unit};
use crate::exit::Exit;
use crate::failure::Failure;

/// Where the unit stands, or would.
#[derive(Debug)]
pub(super) struct UnitFile {
    path: PathBuf,
}

/// What stands there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// A unit as we write it, perhaps of another version, or for another home.
    AsWritten(String),
    /// Somebody has edited it, or it is somebody else's altogether.
    Edited,
}

impl UnitFile {
    /// Among the units of the person who types this.
    ///
    /// # Errors
    /// Nothing says where these are.
    pub(super) fn of_person() -> Result<Self, Failure> {
        // One that is not absolute does not count, says the XDG Base Directory Specification.
        let settings = environment::path("XDG_CONFIG_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| environment::path("HOME").map(|home| home.join(".config")));
        let settings = settings.ok_or_else(|| {
            let message = "neither XDG_CONFIG_HOME nor HOME says where your units are";
            Failure::new(Exit::Config, message).hint("set HOME to your own folder")
        })?;
        Ok(Self { path: settings.join("systemd").join("user").join(UNIT) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The link by which systemd starts it at each login, as `systemctl --user enable` makes it.
    fn wanted(&self) -> PathBuf {
        self.path.with_file_name("default.target.wants").join(UNIT)
    }

    /// What the person has added to the unit in files of their own.
    pub(super) fn additions(&self) -> Option<PathBuf> {
        let folder = self.path.with_file_name(format!("{UNIT}.d"));
        folder.is_dir().then_some(folder)
    }

    /// What stands there.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn found(&self) -> anyhow::Result<Found> {
        let reading = || format!("cannot read {}", self.path.display());
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error).with_context(reading),
            // A link to a file of the person's, or to /dev/null: `systemctl --user mask`.
            Ok(about) if !about.is_file() => return Ok(Found::Edited),
            Ok(_) => {}
        }
        let bytes = fs::read(&self.path).with_context(reading)?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) if unit::is_as_written(&text) => Found::AsWritten(text),
            Ok(_) | Err(_) => Found::Edited,
        })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        let writing = || format!("cannot write {}", self.path.display());
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        // No unit by its ending, so systemd does not see it.
        let beside = self.path.with_extension("service.new");
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.path)).with_context(writing)
    }

    /// Removes it, and the link by which it is started.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        for path in [self.wanted(), self.path.clone()] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", path.display()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Why a file that is not as we wrote it is left alone.
    pub(super) fn is_edited(&self, again: &str) -> Failure {
        let message = format!("{} is not as `pb service install` wrote it", self.path.display());
        Failure::new(Exit::Refused, message)
            .hint(format!("keep your settings with `systemctl --user edit ponybunny`, then: {again} --force"))
    }
}
