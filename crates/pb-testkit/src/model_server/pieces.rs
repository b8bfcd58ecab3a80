//! Text in pieces, as a model's tokens come.

/// Bytes of a piece unless the script says otherwise.
const PIECE_BYTES_DEFAULT: usize = 24;

/// The text in pieces of at most so many bytes, each of whole characters and at least one.
pub(super) fn pieces(text: &str, bytes: Option<usize>) -> Vec<&str> {
    let bytes = bytes.unwrap_or(PIECE_BYTES_DEFAULT);
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.floor_char_boundary(bytes).max(first.len_utf8());
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::pieces;

    #[test]
    fn pieces_are_whole_characters() {
        assert_eq!(pieces("你好, pony", Some(4)), ["你", "好,", " pon", "y"]);
        assert_eq!(pieces("你好", Some(0)), ["你", "好"]);
        assert_eq!(pieces("🐴a", Some(1)), ["🐴", "a"]);
        assert_eq!(pieces("short", None), ["short"]);
        assert!(pieces("", Some(3)).is_empty());
    }
}
