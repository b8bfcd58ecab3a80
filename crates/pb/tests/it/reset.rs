//! `pb reset`: what goals left is gone, what the person set stays, and the backup can be put back.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::env::TestEnv;

/// One item in a workspace of its own; and one in a folder of the person.
const GOAL: &str = "title = 'x'\n[[items]]\nid = 'a'\nkind = 'command'\nargv = ['touch', 'made']\n\
    gates = [{ kind = 'file_exists', path = 'made' }]\n";

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// A home with goals, settings, and everything else that a person puts there.
fn lived_in() -> (TestEnv, String) {
    let env = TestEnv::new();
    env.start_daemons();
    for (name, text) in [("config.toml", "[trace]\ndays = 3\n"), ("credentials.toml", "")] {
        fs::write(env.home().join(name), text).unwrap();
    }
    fs::create_dir(env.home().join("personas")).unwrap();
    fs::write(env.home().join("personas/mine.toml"), "x").unwrap();
    env.write("goal.toml", GOAL);
    assert_eq!(env.pb(["run", "goal.toml", "--workspace", "mine"]).exit, Some(0));
    let goal = env.only_goal();
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0));
    assert!(!is_empty(&env.home().join("workspaces")));
    (env, goal)
}

#[test]
fn what_goals_left_is_gone_what_the_person_set_stays_and_the_backup_brings_the_goals_back() {
    let (env, goal) = lived_in();
    let token = fs::read_to_string(env.home().join("token")).unwrap();
    let asked = env.pb(["reset"]);
    assert_eq!(asked.exit, Some(64), "{asked}");
    assert!(asked.raw_stderr.contains("hint: if that is meant: pb reset --yes"), "{asked}");
    assert!(env.holder("gateway").is_some(), "nothing was stopped");

    let told = env.json(["reset", "--yes", "--json"]);
    assert_eq!(env.processes(), Vec::<u32>::new());
    for gone in ["state.db", "state.db-wal", "gateway.db", "trace.db", "state.mark", "run/gateway.json"] {
        assert!(!env.home().join(gone).exists(), "{gone}");
    }
    for folder in ["workspaces", "artifacts", "kept", "run", "tmp"] {
        assert!(is_empty(&env.home().join(folder)), "{folder}");
    }
    for kept in ["config.toml", "credentials.toml", "personas/mine.toml", "logs/gateway.log"] {
        assert!(env.home().join(kept).exists(), "{kept}");
    }
    assert_eq!(fs::read_to_string(env.home().join("token")).unwrap(), token);
    assert!(env.file("mine/made").exists(), "a folder of the person is not touched");
    let removed = told["removed"].as_array().unwrap();
    assert!(removed.contains(&json!("state.db")) && removed.contains(&json!("workspaces/ (1)")), "{told}");

    env.start_daemons();
    assert_eq!(env.json(["goal", "list", "--json"])["total"], 0);
    assert_eq!(env.pb(["run", "goal.toml"]).exit, Some(0), "it works anew");
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let backup = told["backup"].as_str().unwrap();
    let restored = env.pb(["restore", "--yes", backup]);
    assert_eq!(restored.exit, Some(0), "{restored}");
    env.start_daemons();
    assert_eq!(env.show(&goal)["status"], "completed");
}

#[test]
fn without_a_backup_nothing_is_kept_and_what_cannot_be_backed_up_is_not_removed() {
    let (env, _) = lived_in();
    assert_eq!(env.pb(["stop"]).exit, Some(0));
    let log = env.home().join("state.db");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, "damaged").unwrap();
    let refused = env.pb(["reset", "--yes"]);
    assert_ne!(refused.exit, Some(0), "{refused}");
    assert!(refused.raw_stderr.contains("nothing was removed"), "{refused}");
    assert!(env.home().join("gateway.db").exists() && !is_empty(&env.home().join("workspaces")));
    fs::write(&log, whole).unwrap();
    let reset = env.pb(["reset", "--yes", "--no-backup"]);
    assert_eq!(reset.exit, Some(0), "{reset}");
    assert!(is_empty(&env.home().join("backups")) && !log.exists());
    let again = env.pb(["reset", "--yes"]);
    assert_eq!(again.exit, Some(0), "{again}");
    assert!(again.raw_stderr.contains("there was nothing to remove"), "{again}");
}

#[test]
fn a_home_that_is_not_there_is_not_made() {
    let env = TestEnv::new();
    let ran = env.pb(["reset", "--yes"]);
    assert_eq!(ran.exit, Some(0), "{ran}");
    assert!(ran.raw_stderr.contains("there is nothing to reset"), "{ran}");
    assert!(!env.home().exists());
}
