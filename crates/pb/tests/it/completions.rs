//! What shells complete, and the manual pages.

use std::fs;
use std::process::Command;

use crate::env::TestEnv;

#[test]
#[expect(clippy::disallowed_methods, reason = "a shell of the test's own, which ends with its line")]
fn bash_completes_commands_and_options_after_reading_the_script() {
    let env = TestEnv::new();
    let script = env.pb(["completions", "bash"]);
    assert_eq!(script.exit, Some(0), "{script}");
    let file = env.write("pb.bash", &script.raw_stdout);
    let completed = |words: &[&str]| {
        let line = format!(
            "source {}; COMP_WORDS=({}); COMP_CWORD={}; _pb pb '{}' ''; echo \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.join(" "),
            words.len() - 1,
            words.last().unwrap(),
        );
        let ran = Command::new("bash").args(["--norc", "-c", &line]).output().unwrap();
        String::from_utf8(ran.stdout).unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["pb", "goa"]), ["goal"]);
    assert_eq!(completed(&["pb", "logs", "--fol"]), ["--follow"]);
    assert_eq!(completed(&["pb", "logs", "sch"]), ["scheduler"]);
    assert!(
        !completed(&["pb", ""]).iter().any(|word| word.starts_with("__")),
        "what is hidden is not offered"
    );
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let script = env.pb(["completions", shell]);
        assert!(script.exit == Some(0) && script.raw_stdout.contains("goal"), "{script}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let env = TestEnv::new();
    let ran = env.pb(["completions", "--man", "man/man1"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    let page = |name: &str| fs::read_to_string(env.file(&format!("man/man1/{name}.1"))).unwrap();
    for name in ["pb", "pb-run", "pb-goal", "pb-goal-show", "pb-scheduler-start"] {
        let page = page(name);
        assert!(page.contains(&format!(".TH {name} 1")), "{name}: {page}");
    }
    let names = fs::read_dir(env.file("man/man1")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    assert!(
        names.len() > 50 && !names.iter().any(|name| name.contains("__") || name.contains("help")),
        "{names:?}"
    );
    let refused = env.pb(["completions"]);
    assert_eq!(refused.exit, Some(64), "{refused}");
}
