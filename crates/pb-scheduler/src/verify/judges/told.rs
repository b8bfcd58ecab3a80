//! What a command runs, as its words tell it.

use std::path::Path;

use super::test_files::is_test;
use super::{relative, shell};

/// How deep shells in shells are followed.
const DEPTH_MAX: u32 = 4;
/// Programs that run the one that their arguments name.
const WRAPPERS: [&str; 23] = [
    "env", "nice", "nohup", "setsid", "stdbuf", "time", "timeout", "sudo", "xargs", "uv", "poetry", "pipenv",
    "hatch", "rye", "npx", "bunx", "pnpx", "run", "exec", "dlx", "busybox", "taskset", "ionice",
];
/// Options of those that take the next word.
const WITH_A_WORD: [&str; 5] = ["-u", "-C", "-I", "-L", "-g"];
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "zsh", "ksh", "ash"];
/// Programs that run the file that their first argument names.
const INTERPRETERS: [&str; 15] = [
    "python", "python2", "python3", "pypy3", "node", "nodejs", "ruby", "perl", "php", "lua", "Rscript",
    "tsx", "ts-node", "bun", "deno",
];
/// Programs that do nothing but run tests.
const TEST_RUNNERS: [&str; 20] = [
    "pytest",
    "py.test",
    "unittest",
    "nose2",
    "jest",
    "vitest",
    "mocha",
    "ava",
    "tap",
    "jasmine",
    "cargo-nextest",
    "gotestsum",
    "ctest",
    "phpunit",
    "rspec",
    "tox",
    "nox",
    "bats",
    "prove",
    "playwright",
];
/// Programs that run tests if an argument says so.
const TASK_RUNNERS: [&str; 32] = [
    "cargo", "go", "node", "deno", "bun", "npm", "pnpm", "yarn", "make", "gmake", "just", "task", "rake",
    "gradle", "gradlew", "mvn", "bazel", "dotnet", "swift", "zig", "mix", "composer", "nx", "turbo", "ng",
    "docker", "podman", "nix", "mise", "rails", "flutter", "dart",
];
/// What a program reads its tasks from.
const TASK_FILES: [(&str, &[&str]); 12] = [
    ("make", &["GNUmakefile", "makefile", "Makefile"]),
    ("gmake", &["GNUmakefile", "makefile", "Makefile"]),
    ("just", &["justfile", "Justfile", ".justfile"]),
    ("task", &["Taskfile.yml", "Taskfile.yaml"]),
    ("npm", &["package.json"]),
    ("pnpm", &["package.json"]),
    ("yarn", &["package.json"]),
    ("bun", &["package.json"]),
    ("rake", &["Rakefile"]),
    ("tox", &["tox.ini"]),
    ("nox", &["noxfile.py"]),
    ("cargo", &[".cargo/config.toml", ".cargo/config"]),
];

/// What the words of a command tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Files of the workspace that it runs or is steered by, whether they are there or not: how these end is
    /// how it ends.
    pub(crate) files: Vec<String>,
    /// Those of which it only looks at what they print: what is judged, most likely.
    pub(crate) looked_at: Vec<String>,
    /// Whether it runs tests.
    pub(crate) runs_tests: bool,
}

impl Told {
    /// Reads the words of a command that runs in `cwd`, relative to the workspace.
    pub(crate) fn of(workspace: &Path, argv: &[String], cwd: Option<&str>) -> Self {
        let mut told = Self::default();
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        told.read(workspace, &words, cwd, 0);
        told.files.sort();
        told.files.dedup();
        told
    }

    fn read(&mut self, workspace: &Path, words: &[&str], cwd: Option<&str>, depth: u32) {
        let words = unwrapped(words);
        let Some((program, arguments)) = words.split_first() else { return };
        let name = program.rsplit('/').next().unwrap_or(program);
        let paths = named_files(program, name, arguments);
        self.files
            .extend(paths.iter().filter_map(|path| relative(workspace, cwd, &expanded(workspace, path))));
        self.runs_tests |= runs_tests(name, arguments);
        if SHELLS.contains(&name) {
            self.read_shell(workspace, arguments, cwd, depth);
        }
    }

    fn read_shell(&mut self, workspace: &Path, arguments: &[&str], cwd: Option<&str>, depth: u32) {
        let is_text = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains('c');
        let given = arguments.iter().position(|word| is_text(word));
        let Some(text) = given.and_then(|at| arguments.get(at + 1)) else {
            let script = arguments.iter().find(|word| !word.starts_with('-'));
            self.files.extend(script.and_then(|script| relative(workspace, cwd, script)));
            return;
        };
        if depth == DEPTH_MAX {
            return;
        }
        let mut cwd = cwd.map(str::to_owned);
        for command in shell::commands(text) {
            let words: Vec<&str> = command.words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["cd", folder] => cwd = relative(workspace, cwd.as_deref(), folder),
                words if command.is_looked_at => {
                    let mut inner = Self::default();
                    inner.read(workspace, words, cwd.as_deref(), depth + 1);
                    self.runs_tests |= inner.runs_tests;
                    self.looked_at.extend(inner.files.into_iter().chain(inner.looked_at));
                }
                words => self.read(workspace, words, cwd.as_deref(), depth + 1),
            }
        }
    }
}

/// The files that a program runs or is steered by, as its words name them.
fn named_files(program: &str, name: &str, arguments: &[&str]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    if program.contains('/') {
        paths.push(program.to_owned());
    }
    let named: Vec<&str> = arguments.iter().copied().filter(|word| !word.starts_with('-')).collect();
    // A test may be named together with what it is in its file.
    let tests = named.iter().filter_map(|word| word.split("::").next());
    let tests = tests.filter(|path| is_test(path) && path.contains(['/', '.']));
    paths.extend(tests.map(str::to_owned));
    if let Some((_, tasks)) = TASK_FILES.iter().find(|(program, _)| *program == name) {
        let folder = after(arguments, "-C").map(|folder| format!("{folder}/")).unwrap_or_default();
        paths.extend(tasks.iter().map(|task| format!("{folder}{task}")));
        paths.extend(after(arguments, "-f").map(str::to_owned));
    }
    let is_inline = arguments.iter().any(|word| matches!(*word, "-c" | "-e"));
    match after(arguments, "-m").filter(|_| is_interpreter(name)) {
        Some(module) => {
            let path = module.replace('.', "/");
            paths.extend([format!("{path}.py"), format!("{path}/__main__.py")]);
        }
        None if is_interpreter(name) && !is_inline => {
            let script = named.iter().find(|word| !matches!(**word, "run" | "test"));
            paths.extend(script.map(|script| (*script).to_owned()));
        }
        None if matches!(name, "." | "source") => {
            paths.extend(named.first().map(|script| (*script).to_owned()));
        }
        None => {}
    }
    paths
}

/// A path with the one variable that every command has.
fn expanded(workspace: &Path, path: &str) -> String {
    let rest = path.strip_prefix("$PB_WORKSPACE/").or_else(|| path.strip_prefix("${PB_WORKSPACE}/"));
    rest.map_or_else(|| path.to_owned(), |rest| format!("{}/{rest}", workspace.display()))
}

/// The command without what only runs it: assignments, and wrappers with their options.
fn unwrapped<'w>(mut words: &'w [&'w str]) -> &'w [&'w str] {
    while let Some((first, rest)) = words.split_first() {
        let name = first.rsplit('/').next().unwrap_or(first);
        let is_assignment = !first.starts_with('-') && first.contains('=') && !first.starts_with('/');
        if !(is_assignment || WRAPPERS.contains(&name)) || rest.is_empty() {
            break;
        }
        words = rest;
        // Options of the wrapper, and a number: the time of `timeout`, the level of `nice`.
        while let Some((option, rest)) = words.split_first()
            && !is_assignment
            && (option.starts_with('-') || option.trim_end_matches(['s', 'm', 'h']).parse::<f64>().is_ok())
        {
            let taken = usize::from(WITH_A_WORD.contains(option));
            words = rest.get(taken..).unwrap_or_default();
        }
    }
    words
}

fn is_interpreter(name: &str) -> bool {
    let versioned = name.strip_prefix("python3.").is_some_and(|version| version.parse::<u8>().is_ok());
    INTERPRETERS.contains(&name) || versioned
}

fn runs_tests(name: &str, arguments: &[&str]) -> bool {
    let module = after(arguments, "-m").filter(|_| is_interpreter(name));
    TEST_RUNNERS.contains(&name)
        || module.is_some_and(|module| TEST_RUNNERS.contains(&module))
        || TASK_RUNNERS.contains(&name)
            && arguments.iter().any(|word| {
                let word = word.trim_start_matches('-');
                word.contains("test") || word.contains("check") || matches!(word, "t" | "spec" | "verify")
            })
}

/// The word after another one.
fn after<'w>(words: &[&'w str], option: &str) -> Option<&'w str> {
    let at = words.iter().position(|word| *word == option)?;
    words.get(at + 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let argv: Vec<String> = line.split(' ').map(|word| word.replace('_', " ")).collect();
        let told = Told::of(Path::new("/w"), &argv, Some("sub").filter(|_| line.starts_with("./in")));
        let looked_at = told.looked_at.iter().map(|path| format!(" →{path}")).collect::<Vec<_>>().concat();
        format!("{}{looked_at}{}", told.files.join(" "), if told.runs_tests { " (tests)" } else { "" })
    }

    #[test]
    fn what_a_command_runs_is_told_from_its_words() {
        for (line, expected) in [
            ("./check.sh a.txt", "check.sh"),
            ("./in", "sub/in"),
            ("/w/tools/check", "tools/check"),
            ("/usr/bin/env python3 -B tools/check.py out.json", "tools/check.py"),
            ("timeout 10s bash -eu check.sh", "check.sh"),
            ("sh -ec cd_tools_&&_./a.sh;_python3_../b.py_x", "b.py tools/a.sh"),
            ("sh -c ./a.py_|_grep_-q_x_&&_./b.py", "b.py →a.py"),
            ("env -u A -i sh check.sh", "check.sh"),
            ("python3 -m checks.run", "checks/run.py checks/run/__main__.py"),
            ("python3 -c print(1)", ""),
            ("grep -q TODO notes.md", ""),
            ("test -s count.txt", ""),
            ("make -C web check", "web/GNUmakefile web/Makefile web/makefile (tests)"),
            ("npm test", "package.json (tests)"),
            ("cargo test", ".cargo/config .cargo/config.toml (tests)"),
            ("python3 -m unittest", "unittest.py unittest/__main__.py (tests)"),
            ("uv run pytest tests/a.py::b", "tests/a.py (tests)"),
            ("go vet", ""),
            ("echo 5 passed", ""),
            ("../../outside.sh", ""),
            ("env A=1", ""),
        ] {
            let line = line.replace('!', "_");
            assert_eq!(told(&line).trim(), expected, "{line}");
        }
        let inside = ["sh", "-c", "${PB_WORKSPACE}/check.sh"].map(str::to_owned);
        assert_eq!(Told::of(Path::new("/w"), &inside, None).files, ["check.sh"]);
    }
}
