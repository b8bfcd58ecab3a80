//! Times, sizes and foreign text as people read them.

use std::borrow::Cow;
use std::fmt::Display;

/// A duration: `12 ms`, `3.4 s`, `5 min 20 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A size: `17 B`, `1.5 kB`, `20.0 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).copied().unwrap_or_default())
}

/// Money in millionths of a US dollar: `0.0123 USD`, `4.20 USD`; `free` is for those who ask for it.
pub(crate) fn usd(micro: u64) -> String {
    match micro {
        0 => "0 USD".to_owned(),
        1..1_000_000 => format!("{:.4} USD", usd_value(micro)),
        _ => format!("{:.2} USD", usd_value(micro)),
    }
}

/// US dollars: `0.0123 USD`, `4.20 USD`.
pub(crate) fn dollars(usd: f64) -> String {
    if usd > 0.0 && usd < 1.0 { format!("{usd:.4} USD") } else { format!("{usd:.2} USD") }
}

/// Tokens, and the money for them as far as it is known.
pub(crate) fn spent(tokens: u64, micro: u64, unpriced: bool) -> String {
    let tokens = count(tokens, "token");
    match (unpriced, micro) {
        (false, _) => format!("{tokens}, {}", usd(micro)),
        (true, 0) => format!("{tokens}, price unknown"),
        (true, _) => format!("{tokens}, {} and what has no known price", usd(micro)),
    }
}

/// Millionths of a US dollar as dollars.
#[expect(clippy::cast_precision_loss, reason = "sums of money here are far below 2^52 millionths")]
pub(crate) fn usd_value(micro: u64) -> f64 {
    micro as f64 / 1_000_000.0
}

/// Dollars as millionths of a US dollar.
#[expect(clippy::cast_possible_truncation, reason = "saturates; what we are sent is not negative")]
pub(crate) fn micro(usd: f64) -> u64 {
    (usd * 1_000_000.0).round() as u64
}

/// A moment, in the person's time zone: `2026-11-22 12:10:41`.
pub(crate) fn moment(ms: u64) -> String {
    i64::try_from(ms)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// The same, to the millisecond: `2026-11-22 12:10:41.007`.
pub(crate) fn moment_ms(ms: u64) -> String {
    format!("{}.{:03}", moment(ms), ms % 1000)
}

/// `1 item`, `2 items`.
pub(crate) fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Words of ours with spaces: `in_progress` is `in progress` to people.
pub(crate) fn word(word: &str) -> String {
    word.replace('_', " ")
}

/// Foreign text without the control characters that a terminal would obey; lines stay lines.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(obeyed) {
        // Line ends of Windows are no attempt at anything.
        Cow::Owned(text.replace("\r\n", "\n").replace(obeyed, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Foreign text on one line.
pub(crate) fn line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Longest text in a cell of a table, in characters.
const EXCERPT_CHARS_MAX: usize = 80;

/// The beginning of foreign text, without its layout: enough to know which one it is.
pub(crate) fn excerpt(text: &str) -> String {
    let words = line(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(EXCERPT_CHARS_MAX) {
        None => words,
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
    }
}

/// Foreign text with every line moved to the right.
pub(crate) fn indented(text: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let lines: Vec<String> =
        printable(text).trim_end().lines().map(|line| format!("{margin}{line}")).collect();
    lines.join("\n")
}

/// `label  text`, with the texts of a block under each other.
pub(crate) fn field(label: &str, text: impl Display) -> String {
    format!("{label:<11}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_have_two_figures_that_matter() {
        let durations = [0, 999, 1000, 59_999, 60_000, 3_599_000, 7_500_000, 300_000_000].map(duration);
        assert_eq!(
            durations,
            ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min 0 s", "59 min 59 s", "2 h 5 min", "3 d 11 h"]
        );
        let sizes = [0, 999, 1000, 1_550, 999_999, 20_000_000, 3_000_000_000].map(size);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "1.5 kB", "999.9 kB", "20.0 MB", "3.0 GB"]);
    }

    #[test]
    fn a_terminal_is_told_nothing_by_foreign_text() {
        assert_eq!(printable("中\t文\n"), "中\t文\n");
        assert_eq!(printable("a\u{1b}[2Jb\r\nc"), "a\u{fffd}[2Jb\nc");
        assert_eq!(line("a\nb"), "a b");
        assert_eq!(excerpt("a\n  b"), "a b");
        assert_eq!(excerpt(&"中".repeat(81)), format!("{}…", "中".repeat(80)));
    }
}
