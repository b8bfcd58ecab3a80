//! `pb console`: the page of the gateway, and a browser that may use it.

use std::process::{Command, Stdio};

use pb_protocol::Permissions;
use pb_protocol::client::Patience;
use pb_protocol::methods::console::{Invite, InviteParams};
use pb_runtime::{Clock, Endpoint, Home, Ids, environment};
use serde_json::json;

use super::tokens::{Expiry, expiry};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, format, output, wait};

/// Shows an address in the person's browser.
const OPENER: &str = "xdg-open";

/// Open the console in a browser: what runs, what waits for you, and everything about each goal
///
/// Prints the address of the page with a code that lets one browser in, once, within a minute, and opens it. The browser
/// is given an access token of its own, `console`: `pb gateway tokens` lists it, `pb gateway revoke` ends it. Other tabs
/// and later visits come in by that.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb console\n  pb console --no-open\n  pb console --permissions read --expires 12h"
)]
pub(crate) struct Args {
    /// Print the address, and open no browser
    #[arg(long)]
    no_open: bool,
    /// What the browser may do, with commas between: read, write (submit, cancel), approve (say yes or no), admin
    #[arg(long, value_name = "LIST", default_value = "read,write,approve,admin", value_parser = Permissions::parse)]
    permissions: Permissions,
    /// When that ends by itself: `12h`, `30d`, a time such as 2026-12-24T18:00, or never
    #[arg(long, value_name = "WHEN", default_value = "7d", value_parser = expiry)]
    expires: Expiry,
    /// Print one JSON document, and open no browser
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = Home::from_environment()?;
    let params = InviteParams {
        permissions: args.permissions.words().into_iter().map(str::to_owned).collect(),
        expires_at: args.expires.0,
        idempotency_key: Some(Ids::random(Clock::System).uuid().to_string()),
    };
    let made = wait::client(async {
        let client = connection::client(&home, Patience::None);
        Ok(client.call::<Invite>(&params).await?)
    })?;
    let endpoint = Endpoint::read(&home.gateway_json()).ok_or_else(|| {
        Failure::new(Exit::Missing, "the gateway has just stopped").hint("start it with: pb start")
    })?;
    // Behind the `#` it goes over no wire and into no log; the page takes it out of the address at once.
    let url = format!("http://{}/#code={}", endpoint.address, made.code);
    if args.json {
        output::json(&json!({
            "url": url,
            "urlEndsAt": made.code_ends_at,
            "permissions": made.permissions,
            "expiresAt": made.expires_at,
        }))?;
        return Ok(Exit::Ok);
    }
    output::data(&url)?;
    output::note(format_args!(
        "it lets one browser in, once, until {}; that may then {} {}",
        format::moment(made.code_ends_at),
        made.permissions.join(", "),
        made.expires_at
            .map_or("until it is revoked".to_owned(), |at| format!("until {}", format::moment(at)))
    ));
    if !args.no_open {
        show(&url);
    }
    Ok(Exit::Ok)
}

/// Shows an address in the person's browser, where there is a screen for one.
pub(super) fn show(url: &str) {
    if has_display() && !open(url) {
        output::note(format_args!(
            "{OPENER} opened nothing; open the address above in a browser of this machine"
        ));
    }
}

/// Whether there is somewhere to show a browser.
fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().any(|name| environment::text(name).is_some())
}

/// Has the desktop show the address. Whether it took it.
#[expect(
    clippy::disallowed_methods,
    reason = "pb_exec runs the commands of goals; this is the person's own desktop"
)]
fn open(url: &str) -> bool {
    let ran = Command::new(OPENER)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ran.is_ok_and(|status| status.success())
}
