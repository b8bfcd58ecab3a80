//! Wraps text: lines break at blanks, and none is longer than asked if its words allow it.

/// The lines of `text`, each of at most `width` characters. A longer word has a line of its own. A
/// line break of the text stays one, and blanks between words become one.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    text.lines().flat_map(|paragraph| wrap_paragraph(paragraph, width)).collect()
}

fn wrap_paragraph(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
    }
    lines.push(line);
    lines
}
