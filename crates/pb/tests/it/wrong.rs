//! What goes wrong outside a goal: one clear error, a hint, and its exit code.

use std::net::TcpListener;

use insta::assert_snapshot;

use crate::env::TestEnv;

#[test]
fn nothing_runs() {
    let env = TestEnv::new();
    assert_snapshot!("nothing_runs_status", env.pb(["status"]));
    assert_snapshot!("nothing_runs_status_json", env.pb(["status", "--json"]));
    assert_snapshot!("nothing_runs_gateway_status", env.pb(["gateway", "status"]));
    assert_snapshot!("nothing_runs_scheduler_status_json", env.pb(["scheduler", "status", "--json"]));
    assert_snapshot!("nothing_runs_stop", env.pb(["stop"]));
    assert_snapshot!("nothing_runs_gateway_stop", env.pb(["gateway", "stop"]));
    assert_snapshot!("nothing_runs_goal_list", env.pb(["goal", "list"]));
    assert_snapshot!("nothing_runs_goal_watch", env.pb(["goal", "watch", "3f2a"]));
    assert!(!env.home().exists(), "looking makes no home");
}

#[test]
fn a_wrong_command_line_exits_64() {
    let env = TestEnv::new();
    assert_snapshot!("usage_no_command", env.pb::<[&str; 0]>([]));
    assert_snapshot!("usage_unknown_command", env.pb(["gaol"]));
    assert_snapshot!("usage_unknown_status", env.pb(["goal", "list", "--status", "done"]));
    assert_snapshot!("usage_bad_port", env.pb(["gateway", "start", "--port", "70000"]));
}

#[test]
fn a_bad_port_in_the_environment() {
    let mut env = TestEnv::new();
    env.variables.push(("PB_PORT", "many".to_owned()));
    assert_snapshot!(env.pb(["start"]));
}

#[test]
fn pb_does_not_run_inside_a_step() {
    let mut env = TestEnv::new();
    env.variables.push(("PB_STEP", "run_1/1".to_owned()));
    assert_snapshot!(env.pb(["goal", "list"]));
}

#[test]
fn a_busy_port() {
    let mut env = TestEnv::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    env.variables.push(("PB_PORT", taken.local_addr().unwrap().port().to_string()));
    assert_snapshot!("busy_port_foreground", env.pb(["gateway", "start", "--foreground"]));
    assert_snapshot!("busy_port_background", env.pb(["start"]));
    env.write("goal.toml", "title = \"x\"\n[[items]]\nid = \"a\"\nkind = \"command\"\nargv = [\"true\"]\n");
    assert_snapshot!("busy_port_run", env.pb(["run", "goal.toml"]));
    assert!(env.holder("gateway").is_none());
    assert!(env.holder("scheduler").is_none(), "without a gateway no scheduler is started");
}

#[test]
fn security_10_an_address_that_others_could_reach() {
    let env = TestEnv::new();
    assert_snapshot!(env.pb(["gateway", "start", "--host", "0.0.0.0"]));
    let config = env.home().join("config.toml");
    std::fs::write(&config, "[gateway.tls]\nself_signed = true\n").unwrap();
    let started = env.pb(["gateway", "start", "--host", "0.0.0.0"]);
    assert_eq!(started.exit, Some(0), "{started}");
    let said = started.to_string();
    assert!(said.contains("for other machines on wss://0.0.0.0:"), "{said}");
    assert_eq!(env.pb(["gateway", "stop"]).exit, Some(0));
    std::fs::write(&config, "[gateway.tls]\nself_signed = true\ncert = \"/nowhere\"\n").unwrap();
    assert_snapshot!("tls_said_twice", env.pb(["gateway", "start", "--host", "0.0.0.0"]));
}

#[test]
fn a_home_whose_socket_path_is_too_long() {
    let mut env = TestEnv::new();
    env.variables.push(("PB_HOME", env.work().join("x".repeat(120)).display().to_string()));
    assert_snapshot!("long_home_start", env.pb(["start"]));
    assert_snapshot!("long_home_foreground", env.pb(["gateway", "start", "--foreground"]));
}

#[test]
fn no_home_at_all() {
    let mut env = TestEnv::new();
    env.variables.extend([("PB_HOME", String::new()), ("HOME", String::new())]);
    assert_snapshot!(env.pb(["status"]));
}

#[test]
fn settings_that_are_wrong() {
    let env = TestEnv::new();
    std::fs::create_dir(env.home()).unwrap();
    std::fs::write(env.home().join("config.toml"), "[sandbox]\ntool_cashes = []\n").unwrap();
    assert_snapshot!("bad_config_foreground", env.pb(["scheduler", "start", "--foreground"]));
    assert_snapshot!("bad_config_background", env.pb(["scheduler", "start"]));
}

#[test]
fn a_second_one_is_refused() {
    let env = TestEnv::new();
    assert_eq!(env.pb(["scheduler", "start"]).exit, Some(0));
    assert_snapshot!("second_background", env.pb(["scheduler", "start"]));
    assert_snapshot!("second_foreground", env.pb(["scheduler", "start", "--foreground"]));
    assert_snapshot!("second_stopped", env.pb(["scheduler", "stop"]));
    assert!(env.holder("scheduler").is_none());
}
