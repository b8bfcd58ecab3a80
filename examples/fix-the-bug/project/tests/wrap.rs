use wrap::wrap;

#[test]
fn lines_break_at_blanks() {
    assert_eq!(wrap("a pony walks along the river", 12), ["a pony walks", "along the", "river"]);
}

#[test]
fn a_line_may_be_full() {
    assert_eq!(wrap("one two", 7), ["one two"]);
    assert_eq!(wrap("one two", 6), ["one", "two"]);
}

#[test]
fn a_long_word_has_a_line_of_its_own() {
    assert_eq!(wrap("an unforgettable day", 6), ["an", "unforgettable", "day"]);
}

#[test]
fn paragraphs_and_empty_lines_stay() {
    assert_eq!(wrap("one\n\ntwo   three", 20), ["one", "", "two three"]);
}

#[test]
fn chinese_is_counted_in_characters() {
    assert_eq!(wrap("小马 每天 早上 在 河边 喝水", 8), ["小马 每天 早上", "在 河边 喝水"]);
}
