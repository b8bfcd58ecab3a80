//! Text that is shown to a person who decides by it.

/// The text with everything that cannot be seen, or that looks like something else, as an escape
/// (`security.md` 15): control characters, zero-width and bidirectional ones, full-width ASCII, tags.
pub fn visible(text: &str) -> String {
    escaped(text, is_deceptive)
}

/// The same for prose, which decides nothing about what runs: Chinese is written with full-width marks and spaces.
pub fn prose(text: &str) -> String {
    escaped(text, |c| is_deceptive(c) && !matches!(c, '\u{3000}' | '\u{ff01}'..='\u{ff5e}'))
}

fn escaped(text: &str, hides: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            shown.extend(c.escape_unicode());
        } else if c.is_control() {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    shown
}

fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
        | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ff01}'..='\u{ff5e}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{a0}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A command as a person reads it: words that a shell would take apart are quoted, and nothing is hidden.
pub fn command_line(argv: &[String]) -> String {
    let word = |word: &String| {
        let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
        if plain { visible(word) } else { format!("'{}'", visible(&word.replace('\'', "'\\''"))) }
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;

    #[test]
    fn security_15_what_cannot_be_seen_is_shown() {
        let hidden = "rm\u{200b} \u{202e}gpj.exe\u{2066} ｒｍ \u{e0041}\u{a0}x\ty\n";
        let shown = visible(hidden);
        assert_eq!(shown, r"rm\u{200b} \u{202e}gpj.exe\u{2066} \u{ff52}\u{ff4d} \u{e0041}\u{a0}x\ty\n");
        assert_eq!(visible("写一个 file → ok é"), "写一个 file → ok é");
        assert_eq!(prose("哪一份？（周报　月报）\u{202e}"), "哪一份？（周报　月报）\\u{202e}");
    }

    /// Ranges of code points, as the console's list has them.
    fn ranges(told: &serde_json::Value) -> Vec<RangeInclusive<char>> {
        let point = |text: &str| char::from_u32(u32::from_str_radix(text, 16).unwrap()).unwrap();
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            point(first)..=point(last)
        };
        told.as_array().unwrap().iter().map(|text| range(text.as_str().unwrap())).collect()
    }

    /// The console has its own code for it, and the same list.
    #[test]
    fn security_15_the_console_shows_the_same_characters_as_escapes() {
        let list: serde_json::Value =
            serde_json::from_str(include_str!("../../../web/src/lib/hidden.json")).unwrap();
        let (command, allowed) = (ranges(&list["command"]), ranges(&list["allowedInProse"]));
        let has = |ranges: &[RangeInclusive<char>], c| ranges.iter().any(|range| range.contains(&c));
        for c in ('\0'..=char::MAX).filter(|c| !c.is_control()) {
            let text = c.to_string();
            assert_eq!(has(&command, c), visible(&text) != text, "{c:?}");
            assert_eq!(has(&command, c) && !has(&allowed, c), prose(&text) != text, "{c:?}");
        }
    }

    #[test]
    fn a_command_is_shown_as_a_shell_would_read_it() {
        let argv = ["sh", "-c", "echo 'a b'; rm\u{200b} x", "", "中文.txt"].map(str::to_owned);
        assert_eq!(command_line(&argv), r"sh -c 'echo '\''a b'\''; rm\u{200b} x' '' 中文.txt");
    }
}
