//! The page, taken apart: its examples, the files beside them, and its tables of keys.

use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../../../docs/GOAL-FILES.md");

/// A goal file of the page.
pub(crate) struct Example {
    /// Its first line in the page, from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
    /// What a person says, question by question.
    pub(crate) answers: Vec<String>,
    /// The verdict that it ends with.
    pub(crate) end: String,
}

/// A row of a table whose first column has keys.
pub(crate) struct Row {
    pub(crate) keys: Vec<String>,
    /// Whether the table says that they are required.
    pub(crate) is_required: bool,
}

/// What the page holds.
pub(crate) struct Page {
    pub(crate) examples: Vec<Example>,
    /// What is in the folders of examples before, by path.
    pub(crate) files: BTreeMap<String, String>,
    /// The rows below each heading, the heading without its signs.
    pub(crate) tables: BTreeMap<String, Vec<Row>>,
}

impl Page {
    /// Reads the page; what is not as it has to be fails the test.
    pub(crate) fn read() -> Self {
        let mut page = Self { examples: Vec::new(), files: BTreeMap::new(), tables: BTreeMap::new() };
        let mut heading = String::new();
        let mut lines = PAGE.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            if let Some(fence) = line.strip_prefix("```") {
                let body = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "```");
                let text = body.fold(String::new(), |text, line| text + line + "\n");
                page.block(fence, number + 1, text);
            } else if line.starts_with('#') {
                line.trim_start_matches(['#', ' ']).clone_into(&mut heading);
            } else if line.starts_with("| `") {
                page.tables.entry(heading.clone()).or_default().push(row(line));
            }
        }
        page
    }

    fn block(&mut self, fence: &str, line: usize, text: String) {
        let mut words = fence.split(' ');
        let language = words.next().unwrap_or_default();
        let marks: Vec<(&str, &str)> = words.map(|word| word.split_once('=').unwrap()).collect();
        let all = |name: &str| {
            marks
                .iter()
                .filter(|(mark, _)| *mark == name)
                .map(|(_, value)| (*value).to_owned())
                .collect::<Vec<_>>()
        };
        if language == "toml" {
            let end = all("end").pop();
            assert!(end.is_some(), "the example at line {line} has no `end=`");
            let end = end.unwrap_or_default();
            self.examples.push(Example { line, text, answers: all("answer"), end });
        } else if let Some(path) = all("file").pop() {
            self.files.insert(path, text);
        }
    }

    /// The rows below a heading.
    pub(crate) fn table(&self, heading: &str) -> &[Row] {
        self.tables.get(heading).map_or(&[], Vec::as_slice)
    }
}

fn row(line: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let keys = cells[0].split(", ").map(|key| key.trim_matches('`').to_owned()).collect();
    Row { keys, is_required: cells.get(2) == Some(&"required") }
}
