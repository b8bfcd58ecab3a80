//! Tables: columns under each other, no lines, as wide as the terminal.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

/// Space between two columns.
const GAP: u16 = 2;
/// Columns that people copy from: an id or a path that is broken over two lines is of no use.
const UNBROKEN: [&str; 5] = ["GOAL", "ITEM", "ARTIFACT", "SCHEDULE", "NOT DELIVERED"];
/// Least width of the others, in columns of the terminal.
const WIDTH_MIN: u16 = 12;

/// A table with these headings; empty when it has no rows.
pub(crate) fn render(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() { String::new() } else { render_in(Table::new(), headings, rows) }
}

fn render_in(mut table: Table, headings: &[&str], rows: Vec<Vec<String>>) -> String {
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings.to_vec())
        .add_rows(rows);
    // Some terminals do not know their size, and say 0.
    if table.width() == Some(0) {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    let widths = table.column_max_content_widths();
    for ((column, heading), width) in table.column_iter_mut().zip(headings).zip(widths) {
        column.set_padding((0, GAP));
        column.set_constraint(if UNBROKEN.contains(heading) || width <= WIDTH_MIN {
            ColumnConstraint::ContentWidth
        } else {
            ColumnConstraint::LowerBoundary(Width::Fixed(WIDTH_MIN + GAP))
        });
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    fn at(width: u16) -> String {
        let mut table = Table::new();
        table.set_width(width);
        let row = |id: &str, title: &str| vec![id.to_owned(), "completed".to_owned(), title.to_owned()];
        let rows = vec![
            row("goal_01a20eb7cc4c751f9de992fa4ce6127f", "帮我创建一个测试文件，然后检查它"),
            row("goal_01a20eb82a987684afce449fe0075df0", "A diamond with a stumble"),
        ];
        render_in(table, &["GOAL", "STATUS", "TITLE"], rows)
    }

    #[test]
    fn what_is_copied_is_never_broken() {
        assert_snapshot!(at(0), @"
        GOAL                                   STATUS     TITLE
        goal_01a20eb7cc4c751f9de992fa4ce6127f  completed  帮我创建一个测试文件，然后检查它
        goal_01a20eb82a987684afce449fe0075df0  completed  A diamond with a stumble
        ");
        assert_snapshot!(at(70), @"
        GOAL                                   STATUS     TITLE
        goal_01a20eb7cc4c751f9de992fa4ce6127f  completed  帮我创建一个测试文
                                                          件，然后检查它
        goal_01a20eb82a987684afce449fe0075df0  completed  A diamond with a
                                                          stumble
        ");
        assert_snapshot!(at(20), @"
        GOAL                                   STATUS     TITLE
        goal_01a20eb7cc4c751f9de992fa4ce6127f  completed  帮我创建一个
                                                          测试文件，然
                                                          后检查它
        goal_01a20eb82a987684afce449fe0075df0  completed  A diamond
                                                          with a
                                                          stumble
        ");
    }
}
