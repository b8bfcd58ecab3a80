//! Tables: columns under each other, no lines, as wide as the terminal.

use comfy_table::{ContentArrangement, Table, presets};

/// Space between two columns.
const GAP: u16 = 2;

/// A table with these headings; empty when it has no rows.
pub(crate) fn render(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings.to_vec())
        .add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    table.trim_fmt()
}
