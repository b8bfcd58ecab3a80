//! Text that is bounded, and safe to show.

/// Longest title of a call, in characters.
pub const TITLE_CHARS_MAX: usize = 120;

/// `text` as one line of at most `chars_max` characters: blanks become single spaces, and what
/// would move the cursor or turn the writing direction is left out.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut blank = false;
    for character in text.chars() {
        if character.is_whitespace() {
            blank = count > 0;
        } else if !is_unsafe(character) {
            let needed = 1 + usize::from(blank);
            if count + needed > chars_max {
                return with_ellipsis(line, count, chars_max);
            }
            if blank {
                line.push(' ');
            }
            line.push(character);
            count += needed;
            blank = false;
        }
    }
    line
}

fn with_ellipsis(mut line: String, count: usize, chars_max: usize) -> String {
    if count == chars_max {
        line.pop();
    }
    line.push('…');
    line
}

/// A line of a file or a file's name, as it may be shown: nothing but the tab moves the cursor.
pub(crate) fn shown(text: &str) -> String {
    let replace = |character| if is_unsafe(character) && character != '\t' { '\u{fffd}' } else { character };
    text.chars().map(replace).collect()
}

/// Control characters, line separators, and marks that turn the writing direction.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The longest beginning of `text` of at most `bytes_max` bytes.
pub(crate) fn beginning(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// The longest end of `text` of at most `bytes_max` bytes.
pub(crate) fn end(text: &str, bytes_max: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(bytes_max))..).unwrap_or(text)
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_bounded() {
        let check = |text: &str, chars_max| one_line(text, chars_max);
        assert_eq!(check("  a\n\n b\tc ", 9), "a b c");
        assert_eq!(check("rm\u{1b}[2K -rf \u{202e}x", 99), "rm[2K -rf x");
        assert_eq!(check("中文输出", 4), "中文输出");
        assert_eq!(check("中文输出", 3), "中文…");
        assert_eq!(check("ab cd", 3), "ab…");
        assert_eq!(check("", 3), "");
    }

    #[test]
    fn cuts_never_split_a_character() {
        assert_eq!(beginning("文文", 4), "文");
        assert_eq!(end("文文", 5), "文");
        assert_eq!(beginning("ab", 9), "ab");
        assert_eq!(end("ab", 9), "ab");
    }
}
