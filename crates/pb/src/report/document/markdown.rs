//! Foreign text in Markdown: shown as it is, whatever it looks like.

use crate::format;

/// Text within a line: what would be markup, a link or an HTML tag gets a backslash.
pub(super) fn escaped(text: &str) -> String {
    let text = format::line(text);
    let text = text.trim();
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).unwrap_or_default();
        let after = rest.chars().nth(1).unwrap_or(' ');
        let is_markup = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '@' => true,
            // Between letters it is no emphasis.
            '_' => !(before.is_alphanumeric() && after.is_alphanumeric()),
            // Addresses would become links.
            ':' => rest.starts_with("://"),
            '.' => ends_with_www(&out) || (is_number(&out) && after == ' '),
            ')' => is_number(&out) && after == ' ',
            '#' | '+' | '-' | '=' => at == 0,
            _ => false,
        };
        if is_markup {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

fn ends_with_www(out: &str) -> bool {
    out.len() >= 3 && out.get(out.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("www"))
}

/// `1.` at the beginning of a line begins a list.
fn is_number(out: &str) -> bool {
    !out.is_empty() && out.chars().all(|c| c.is_ascii_digit())
}

/// A code span.
pub(super) fn code(text: &str) -> String {
    let text = format::line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    // Spaces keep ticks of the text apart from ours; a reader takes one away on each side.
    let gap = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    // A table or an entity is not looked for inside.
    format!("{ticks}{gap}{text}{gap}{ticks}")
}

/// A quotation: every line of it stays a line, below the `margin`.
pub(super) fn quoted(text: &str, margin: &str) -> String {
    let text = format::printable(text);
    let lines =
        text.trim_end().lines().map(|line| format!("{margin}> {}", escaped(line)).trim_end().to_owned());
    // Two spaces at its end break a line.
    lines.collect::<Vec<_>>().join("  \n")
}

/// A block of code, below the `margin`.
pub(super) fn fenced(text: &str, margin: &str) -> String {
    let text = format::printable(text);
    let fence = "`".repeat((longest_run(&text) + 1).max(3));
    let lines = text.trim_end().lines().map(|line| format!("{margin}{line}").trim_end().to_owned());
    let body = lines.collect::<Vec<_>>().join("\n");
    format!("{margin}{fence}text\n{body}\n{margin}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_text() {
        let shown = [
            "plain, with a.dot and (brackets)!",
            "<script>alert(1)</script>",
            "*bold* _thin_ snake_case `code` [a](http://b) ![i](j)",
            "# heading",
            "- item",
            "1. item",
            "2026. 年",
            "a | b ~~c~~ &amp; $x$ me@host www.host.org https://host",
            "C:\\path",
            "两行\n- 第二行",
            "\u{1b}[2J",
        ]
        .map(escaped)
        .join("\n");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn code_and_quotations_cannot_be_left() {
        assert_eq!(code("a `b` c"), "``a `b` c``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\nb"), "`a b`");
        assert_eq!(quoted("one\n\n# two", "  "), "  > one  \n  >  \n  > \\# two");
        assert_eq!(fenced("a\n````\n<b>", " "), " `````text\n a\n ````\n <b>\n `````");
    }
}
