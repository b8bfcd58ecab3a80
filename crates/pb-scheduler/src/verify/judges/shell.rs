//! The words of a line for a shell, command by command: enough of its grammar to see what it runs.

/// Words that begin a command inside of another.
const KEYWORDS: [&str; 14] = [
    "if", "then", "elif", "else", "while", "until", "do", "!", "{", "time", "exec", "command", "builtin", "(",
];

/// One command of a line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// Whether another command looks at what it prints, and nothing at how it ends.
    pub(super) is_looked_at: bool,
}

/// The commands of a text.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let mut reader = Reader::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, reader.quote) {
            ('\'', None) => reader.quote = Some('\''),
            ('"', None) => reader.quote = Some('"'),
            ('\'', Some('\'')) | ('"', Some('"')) => {
                reader.quote = None;
                reader.word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => {
                if let Some(next) = chars.next().filter(|next| *next != '\n') {
                    reader.push(next);
                }
            }
            // What is substituted is a command of its own, also in quotes.
            ('$', None | Some('"')) if chars.peek() == Some(&'(') => {
                chars.next();
                reader.begin_nested(true);
            }
            ('(', None) => reader.begin_nested(false),
            (')', None) => reader.end_nested(),
            ('`', None | Some('"')) if reader.backtick => {
                reader.backtick = false;
                reader.end_nested();
            }
            ('`', None | Some('"')) => {
                reader.backtick = true;
                reader.begin_nested(true);
            }
            ('#', None) if reader.word.is_none() => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            ('|', None) if chars.peek() != Some(&'|') => reader.end_piped(),
            ('|', None) => {
                chars.next();
                reader.end_command();
            }
            (';' | '&' | '\n', None) => reader.end_command(),
            (c, None) if c.is_whitespace() => reader.end_word(),
            (c, _) => reader.push(c),
        }
    }
    reader.end_command();
    reader.commands
}

#[derive(Default)]
struct Reader {
    quote: Option<char>,
    /// The quotes around the commands inside of which we are, and whether what we print becomes their word.
    around: Vec<(Option<char>, bool)>,
    backtick: bool,
    word: Option<String>,
    words: Vec<String>,
    commands: Vec<Command>,
}

impl Reader {
    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        if !(self.words.is_empty() && KEYWORDS.contains(&word.as_str())) {
            self.words.push(word);
        }
    }

    fn begin_nested(&mut self, is_word: bool) {
        self.end_command();
        self.around.push((self.quote.take(), is_word));
    }

    fn end_nested(&mut self) {
        self.end_command();
        self.quote = self.around.pop().and_then(|(quote, _)| quote);
    }

    fn end_piped(&mut self) {
        let before = self.commands.len();
        self.end_command();
        self.commands.iter_mut().skip(before).for_each(|command| command.is_looked_at = true);
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.words.is_empty() {
            let is_looked_at = self.around.iter().any(|(_, is_word)| *is_word);
            self.commands.push(Command { words: std::mem::take(&mut self.words), is_looked_at });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, commands};

    #[test]
    fn commands_are_found_wherever_they_stand() {
        let shown = |text: &str| {
            let show = |command: &Command| {
                format!("{}{}", command.words.join("·"), if command.is_looked_at { "→" } else { "" })
            };
            commands(text).iter().map(show).collect::<Vec<_>>().join(" / ")
        };
        for (text, expected) in [
            ("./check.sh --all || true", "./check.sh·--all / true"),
            (
                "cd 子 && exec python3 'my check.py'\n! grep -q x \"a b\" # ./no.sh",
                "cd·子 / python3·my check.py / grep·-q·x·a b",
            ),
            ("if ./a; then ./b; fi", "./a / ./b / fi"),
            ("test \"$(./a.sh `./b`)\" = `./c` && ./d", "test / ./a.sh→ / ./b→ / ·= / ./c→ / ./d"),
            ("(cd x; ./a) \"`./b \"q\"`; ./no\" ./e", "cd·x / ./a / ./b·q→ / ; ./no·./e"),
            ("echo 'x; ./no.sh' \"\" y\\ z", "echo·x; ./no.sh··y z"),
            ("A=1 ./x & ./y |& tee log", "A=1·./x / ./y→ / tee·log"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
