//! Started and stopped, over and over: nothing is left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::ALL;
use crate::env::TestEnv;

/// So often (F13).
const CYCLES: usize = 100;

/// Everything in a folder, but for what tells of its own time.
fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_hundred_starts_and_stops_leave_no_process_no_socket_and_no_lock() {
    let env = TestEnv::supervised();
    let mut left = None;
    for cycle in 0..CYCLES {
        let started = env.pb(["start"]);
        assert_eq!(started.exit, Some(0), "{cycle}: {started}");
        let stopped = env.pb(["stop"]);
        assert_eq!(stopped.exit, Some(0), "{cycle}: {stopped}");
        assert_eq!(env.processes(), Vec::<u32>::new(), "{cycle}");
        let now = [names(&env.home()), names(&env.home().join("run")), names(&env.home().join("tmp"))];
        assert!(!now[1].iter().any(|name| name.contains(".sock") || name.contains(".heard")), "{now:?}");
        assert_eq!(left.get_or_insert_with(|| now.clone()), &now, "{cycle}");
        for name in ALL {
            let lock = fs::File::open(env.home().join(format!("{name}.lock"))).unwrap();
            lock.try_lock().unwrap();
        }
    }
}
