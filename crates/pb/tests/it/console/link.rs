//! The console without a connection, and with a datum that it cannot show.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::keys::{ASKS, SETTLED, run};
use super::page::Page;
use super::{LIVE, addresses, stay};
use crate::env::{TestEnv, wait_until};
use crate::model::{Scripted, finish, worker};

#[test]
fn a_yes_that_is_given_without_a_connection_is_told_to_be_none_and_does_nothing_later() {
    let mut scripted = Scripted::saying([worker([run("touch done"), finish("deployed")])]);
    stay(&mut scripted.env);
    let env = &scripted.env;
    env.write("asks.toml", ASKS);
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    let goal = env.detach(&["asks.toml"]);
    page.open(&format!("{origin}/#/inbox"));
    page.sees(SETTLED);
    env.kill9("gateway");
    page.sees(".shell[data-state=waiting]");
    page.press("a");
    page.sees("[role=alert]:has-text('nothing was done')");
    env.start_daemon("gateway");
    page.sees(LIVE);
    page.does(&json!(["reload"]));
    page.sees(LIVE);
    // It still waits, and a yes is one again.
    page.sees(SETTLED);
    assert!(!env.file("out/done").exists());
    page.press("a");
    wait_until("it is done", || (env.show(&goal)["status"] == "completed").then_some(()));
}

/// Nothing ends the connection of a gateway that hangs: the page has to find out.
#[test]
fn a_gateway_that_hangs_is_said_to_be_gone_until_it_goes_on() {
    let env = TestEnv::new();
    env.start_daemons();
    let (_, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.does(&json!(["clock"]));
    page.open(&url);
    page.sees(LIVE);
    let pid = Pid::from_raw(env.holder("gateway").unwrap().pid.cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    // It was silent for long, and is asked; and does not answer either.
    for ms in [60_000, 9_000] {
        page.does(&json!(["pass", ms]));
    }
    page.sees(".shell[data-state=waiting]");
    page.sees("text=The gateway has not answered for 1 min");
    kill_process(pid, Signal::CONT).unwrap();
    page.sees(LIVE);
}

#[test]
fn a_part_of_the_page_that_fails_says_so_and_leaves_the_rest() {
    let env = TestEnv::new();
    env.start_daemons();
    let (origin, url) = addresses(&env);
    let Some(mut page) = Page::new(&env) else { return };
    page.does(&json!(["distort", "\"lanes\":{", "\"lanes\":null,\"were\":{"]));
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("y");
    page.sees("[role=alert]:has-text('could not be shown')");
    page.press("g");
    page.press("i");
    page.sees("text=Nothing waits for you");
    page.does(&json!(["distort"]));
    page.open(&format!("{origin}/#/system"));
    page.does(&json!(["reload"]));
    page.sees("td:has-text('Main')");
}
