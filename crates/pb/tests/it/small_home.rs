//! A home with hardly any room: 32 MB of memory.

use crate::env::TestEnv;
use crate::network_home::where_one_may_mount;
use crate::tools;

/// Starts, does a goal, fills what is left, and sees that everything goes on: what was answered is kept, what is new
/// is refused with a reason, logs lose lines and nothing else; then there is room again.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=32m tmpfs "$PB_HOME"
echo "[disk]
free_bytes_min = 2000000" > "$PB_HOME/config.toml"
"$PB" start
"$PB" run quick.toml
dd if=/dev/zero of="$PB_HOME/filler" bs=64k 2> /dev/null || true
"$PB" status --json > status.json
"$PB" run quick.toml 2> refused && exit 90 || test $? = 75
kill -9 "$(sed 's/.*"pid":\([0-9]*\).*/\1/' "$PB_HOME/scheduler.lock")"
rm "$PB_HOME/filler"
for _ in $(seq 200); do
  "$PB" status > status && break
  sleep 0.1
done
"$PB" run quick.toml
"$PB" stop
"#;

#[test]
fn a_home_of_32_mb_is_filled_and_emptied_under_running_processes() {
    let env = TestEnv::supervised();
    std::fs::create_dir(env.home()).unwrap();
    env.write("quick.toml", crate::supervise::QUICK);
    let mut probe = where_one_may_mount("mount -t tmpfs -o size=32m tmpfs \"$PB_HOME\"");
    if !probe.env("PB_HOME", env.home()).output().unwrap().status.success() {
        tools::skipped("nothing can be mounted here, not even in a user namespace");
        return;
    }
    let mut shell = where_one_may_mount(SCRIPT);
    shell.env("PB_HOME", env.home()).env("PB_PORT", "0").env("PB", env!("CARGO_BIN_EXE_pb"));
    shell.env("HOME", env.user()).env("PB_LOCAL_MODEL_PORTS", "none").current_dir(env.work());
    let ran = shell.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    let refused = std::fs::read_to_string(env.file("refused")).unwrap_or_default();
    assert!(ran.status.success(), "{}\n{said}\nrefused: {refused}", ran.status);
    assert!(refused.contains("free"), "it says why: {refused}");
}
