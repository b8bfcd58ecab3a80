//! What a good value is, one function a kind of value.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use super::{
    ARGV_BYTES_MAX, ARGV_MAX, DESCRIPTION_BYTES_MAX, ENV_BYTES_MAX, ENV_MAX, GATE_REGEX_BYTES_MAX,
    INPUT_BYTES_MAX, INPUT_NAME_BYTES_MAX, Invalid, KEY_CHARS_MAX, PATH_BYTES_MAX, TCP_PORTS_MAX,
    TIME_LIMIT_S_MAX, TITLE_CHARS_MAX,
};

/// Longest piece of a value that a message quotes, in characters.
const QUOTED_CHARS_MAX: usize = 60;

pub(super) fn check_title(place: &str, title: &str) -> Result<(), Invalid> {
    filled(place, title, "a title is not empty")?;
    if title.chars().count() > TITLE_CHARS_MAX {
        return Err(Invalid::new(place, format!("longer than {TITLE_CHARS_MAX} characters"))
            .hint("put the details into `description`"));
    }
    if title.chars().any(char::is_control) {
        return Err(Invalid::new(place, "a title is one line without control characters"));
    }
    Ok(())
}

pub(super) fn check_description(place: &str, text: &str) -> Result<(), Invalid> {
    check_text(place, text, DESCRIPTION_BYTES_MAX)
        .map_err(|invalid| invalid.hint("put the material into a file of the workspace and name it"))
}

/// A short text on one line: a tag, a tool, the name of a gate.
pub(super) fn check_label(place: &str, label: &str, chars_max: usize) -> Result<(), Invalid> {
    filled(place, label, "a name is not empty")?;
    if label.chars().count() > chars_max {
        return Err(Invalid::new(place, format!("longer than {chars_max} characters")));
    }
    if label.chars().any(char::is_control) {
        return Err(Invalid::new(place, "a name is one line without control characters"));
    }
    Ok(())
}

pub(super) fn check_text(place: &str, text: &str, bytes_max: usize) -> Result<(), Invalid> {
    if text.len() > bytes_max {
        return Err(Invalid::new(place, format!("longer than {bytes_max} bytes")));
    }
    Ok(())
}

pub(super) fn filled(place: &str, text: &str, problem: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(place, problem));
    }
    Ok(())
}

/// `place` ends with the name of the list.
pub(super) fn check_list(place: &str, len: usize, max: usize) -> Result<(), Invalid> {
    if len > max {
        let list = place.rsplit('.').next().unwrap_or(place).replace('_', " ");
        let problem = format!("{len} {list}, at most {max} are allowed");
        return Err(Invalid::new(place, problem));
    }
    Ok(())
}

/// `fits` is absent for a budget that was not given.
pub(super) fn above_zero(place: &str, fits: Option<bool>) -> Result<(), Invalid> {
    match fits {
        Some(false) => Err(Invalid::new(place, "a budget is above zero").hint("leave it out for no limit")),
        Some(true) | None => Ok(()),
    }
}

pub(super) fn check_key(place: &str, key: &str) -> Result<(), Invalid> {
    let fits = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    // Ids name folders; `.` and `..` would name others.
    let names_a_folder = !matches!(key, "" | "." | "..");
    if !fits || !names_a_folder || key.chars().count() > KEY_CHARS_MAX {
        return Err(Invalid::new(place, format!("`{}` is not an item id", short(key)))
            .hint(format!("1 to {KEY_CHARS_MAX} letters, digits, `-`, `_` or `.`")));
    }
    Ok(())
}

pub(super) fn check_argv(place: &str, argv: &[String]) -> Result<(), Invalid> {
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(Invalid::new(place, "names no program").hint("argv = [\"program\", \"argument\"]"));
    }
    if argv.len() > ARGV_MAX || argv.iter().map(String::len).sum::<usize>() > ARGV_BYTES_MAX {
        return Err(Invalid::new(place, format!("more than {ARGV_MAX} arguments or {ARGV_BYTES_MAX} bytes")));
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        return Err(Invalid::new(place, "an argument contains a NUL byte"));
    }
    Ok(())
}

pub(super) fn check_env(place: &str, env: &BTreeMap<String, String>) -> Result<(), Invalid> {
    let bytes: usize = env.iter().map(|(name, value)| name.len() + value.len()).sum();
    if env.len() > ENV_MAX || bytes > ENV_BYTES_MAX {
        return Err(Invalid::new(place, format!("more than {ENV_MAX} variables or {ENV_BYTES_MAX} bytes")));
    }
    for (name, value) in env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Invalid::new(place, format!("`{}` is not an environment variable", short(name))));
        }
        if name.starts_with("PB_") {
            return Err(Invalid::new(
                place,
                format!("`{}`: names that start with PB_ are ours", short(name)),
            ));
        }
    }
    Ok(())
}

pub(super) fn check_time_limit(place: &str, seconds: Option<u64>) -> Result<(), Invalid> {
    match seconds {
        Some(0) => Err(Invalid::new(place, "a time limit is above zero")),
        Some(s) if s > TIME_LIMIT_S_MAX => {
            Err(Invalid::new(place, format!("longer than {TIME_LIMIT_S_MAX} s")).hint("at most \"24h\""))
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn check_ports(place: &str, ports: &[u16]) -> Result<(), Invalid> {
    if ports.len() > TCP_PORTS_MAX {
        let problem = format!("{} ports, at most {TCP_PORTS_MAX} are allowed", ports.len());
        return Err(Invalid::new(place, problem));
    }
    match ports.iter().position(|port| *port == 0) {
        Some(n) => Err(Invalid::new(format!("{place}[{n}]"), "0 is not a port")),
        None => Ok(()),
    }
}

/// A path below the workspace.
pub(super) fn check_relative(place: &str, path: Option<&str>) -> Result<(), Invalid> {
    let Some(path) = path else { return Ok(()) };
    check_path(place, path)?;
    let stays =
        Path::new(path).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if stays {
        Ok(())
    } else {
        Err(Invalid::new(place, format!("`{}` leaves the workspace", short(path)))
            .hint("paths are relative to the workspace and without `..`"))
    }
}

/// The workspace itself. Whether it may be used is for the scheduler to see.
pub(super) fn check_workspace(place: &str, path: Option<&str>) -> Result<(), Invalid> {
    let Some(path) = path else { return Ok(()) };
    check_path(place, path)?;
    if Path::new(path).is_absolute() {
        Ok(())
    } else {
        Err(Invalid::new(place, format!("`{}` is not an absolute path", short(path)))
            .hint("write the whole path, from `/` on"))
    }
}

fn check_path(place: &str, path: &str) -> Result<(), Invalid> {
    if path.is_empty() || path.contains('\0') {
        return Err(Invalid::new(place, "a path is not empty and has no NUL byte"));
    }
    check_text(place, path, PATH_BYTES_MAX)
}

pub(super) fn check_regex(place: &str, pattern: &str) -> Result<(), Invalid> {
    check_text(place, pattern, GATE_REGEX_BYTES_MAX)?;
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(limit)) => {
            let problem = format!("this regular expression takes more than {limit} bytes of memory");
            Err(Invalid::new(place, problem))
        }
        Err(error) => {
            // It explains over several lines with a drawing; the last one says what is wrong.
            let error = error.to_string();
            let reason = error.lines().next_back().unwrap_or_default();
            let reason = reason.trim_start_matches("error: ");
            let problem = format!("not a regular expression: {reason}");
            Err(Invalid::new(place, problem).hint("a plain text is looked for with `text`"))
        }
    }
}

/// Whether `{{…}}` can name this input: `[A-Za-z_][A-Za-z0-9_-]*`.
pub fn is_input_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// Refuses what cannot be the name of an input.
pub(crate) fn check_input_name(place: &str, name: &str) -> Result<(), Invalid> {
    if is_input_name(name) && name.len() <= INPUT_NAME_BYTES_MAX {
        return Ok(());
    }
    let hint = format!(
        "up to {INPUT_NAME_BYTES_MAX} letters a to z, digits, `-` and `_`, not starting with a digit or `-`"
    );
    Err(Invalid::new(place, format!("`{}` is not an input name", short(name))).hint(hint))
}

/// Refuses what no environment variable can hold.
pub(crate) fn check_input_value(place: &str, value: &str) -> Result<(), Invalid> {
    if value.len() > INPUT_BYTES_MAX {
        return Err(Invalid::new(place, format!("the value is longer than {INPUT_BYTES_MAX} bytes"))
            .hint("pass large material as a file"));
    }
    if value.contains('\0') {
        return Err(Invalid::new(place, "the value has a NUL byte"));
    }
    Ok(())
}

/// A value as messages quote it: of bounded length.
fn short(value: &str) -> String {
    match value.char_indices().nth(QUOTED_CHARS_MAX) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
