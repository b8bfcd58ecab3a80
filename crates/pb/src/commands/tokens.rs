//! `pb gateway pair|tokens|revoke`: who else may come in at the gateway.

use pb_protocol::client::{Client, Patience};
use pb_protocol::methods::NoParams;
use pb_protocol::methods::token::{Create, CreateParams, List, Revoke, RevokeParams, Token};
use pb_protocol::{Permission, Permissions};
use pb_runtime::{Clock, Home, Ids};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::{connection, deadline, format, output, table, wait};

/// Make an access token for another device or program; its secret is printed this once
///
/// A client sends it as `Authorization: Bearer SECRET`. Programs of your own user on this machine need none.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pb gateway pair --name phone\n  pb gateway pair --name ci --permissions read,write --expires 12h\n  TOKEN=$(pb gateway pair --name script --expires never)"
)]
pub(super) struct PairArgs {
    /// What you call it
    #[arg(long)]
    name: String,
    /// What it allows, with commas between: read, write (submit, cancel), approve (say yes or no), admin (everything)
    #[arg(long, value_name = "LIST", default_value = "read", value_parser = Permissions::parse)]
    permissions: Permissions,
    /// When it ends by itself: `12h`, `30d`, a time such as 2026-12-24T18:00, or never
    #[arg(long, value_name = "WHEN", default_value = "90d", value_parser = expiry)]
    expires: Expiry,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// When a token ends by itself, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiry(pub(super) Option<u64>);

/// Reads it.
pub(super) fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry(None));
    }
    deadline::parse(text).map(|at| Expiry(Some(at))).map_err(|error| format!("{error}; or never"))
}

/// Runs `pb gateway pair`.
pub(super) fn pair(home: &Home, args: &PairArgs) -> Result<Exit, Failure> {
    let params = CreateParams {
        name: args.name.clone(),
        permissions: args.permissions.words().into_iter().map(str::to_owned).collect(),
        expires_at: args.expires.0,
        idempotency_key: Some(Ids::random(Clock::System).uuid().to_string()),
    };
    let made = with(home, async |client| Ok(client.call::<Create>(&params).await?))?;
    if args.json {
        output::json(&made)?;
        return Ok(Exit::Ok);
    }
    output::data(&made.secret)?;
    let (id, allows) = (&made.token.id, made.token.permissions.join(", "));
    let until = made
        .token
        .expires_at
        .map_or("until it is revoked".to_owned(), |at| format!("until {}", format::moment(at)));
    output::note(format_args!("{} may {allows} {until}; it is not shown again", format::line(&args.name)));
    output::note(format_args!("take it back with: pb gateway revoke {id}"));
    if args.permissions.iter().any(|one| one == Permission::Admin) {
        output::note("with admin it may do everything that you may, also make tokens");
    }
    Ok(Exit::Ok)
}

/// List the access tokens; their secrets are kept nowhere
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb gateway tokens\n  pb gateway tokens --json | jq '.tokens[].name'")]
pub(super) struct TokensArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs `pb gateway tokens`.
pub(super) fn list(home: &Home, args: &TokensArgs) -> Result<Exit, Failure> {
    let list = with(home, async |client| Ok(client.call::<List>(&NoParams {}).await?))?;
    if args.json {
        output::json(&list)?;
        return Ok(Exit::Ok);
    }
    if list.tokens.is_empty() {
        output::note("no access tokens; make one with: pb gateway pair --name NAME");
        return Ok(Exit::Ok);
    }
    let row = |token: &Token| {
        vec![
            token.id.clone(),
            token.status.clone(),
            token.permissions.join(","),
            format::moment(token.created_at),
            token.revoked_at.or(token.expires_at).map_or("never".to_owned(), format::moment),
            token.public_key.as_deref().and_then(|key| key.get(..8)).unwrap_or("-").to_owned(),
            format::line(&token.name),
        ]
    };
    let rows = list.tokens.iter().map(row).collect();
    output::data(table::render(&["TOKEN", "STATUS", "PERMISSIONS", "MADE", "ENDS", "KEY", "NAME"], rows))?;
    Ok(Exit::Ok)
}

/// End an access token at once, and every connection that came in by it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pb gateway revoke phone\n  pb gateway revoke 3f2a")]
pub(super) struct RevokeArgs {
    /// Its id, a part of that which no other has, or its name
    token: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs `pb gateway revoke`.
pub(super) fn revoke(home: &Home, args: &RevokeArgs) -> Result<Exit, Failure> {
    let (token, accepted) = with(home, async |client| {
        let list = client.call::<List>(&NoParams {}).await?;
        let token = meant(&list.tokens, &args.token)?.clone();
        let accepted = client
            .call::<Revoke>(&RevokeParams { token_id: token.id.clone(), idempotency_key: None })
            .await?;
        Ok((token, accepted))
    })?;
    if args.json {
        output::json(&accepted)?;
        return Ok(Exit::Ok);
    }
    let (id, name) = (&token.id, format::line(&token.name));
    output::note(match token.status.as_str() {
        "revoked" => format!("{name} ({id}) was revoked already"),
        _ => format!("{name} ({id}) is revoked, and its connections are closed"),
    });
    Ok(Exit::Ok)
}

/// The token of this id, name or part of an id. Of several with one name, the only one that still lives.
fn meant<'t>(tokens: &'t [Token], text: &str) -> Result<&'t Token, Failure> {
    let named: Vec<&Token> = tokens.iter().filter(|token| token.name == text || token.id == text).collect();
    let live: Vec<&Token> = named.iter().copied().filter(|token| token.status == "live").collect();
    let parts: Vec<&Token> = tokens.iter().filter(|token| token.id.contains(text)).collect();
    for found in [&live, &named, &parts] {
        match found.as_slice() {
            [] => {}
            [only] => return Ok(only),
            several => {
                let ids: Vec<&str> = several.iter().map(|token| token.id.as_str()).collect();
                return Err(Failure::new(Exit::Usage, format!("`{text}` is {} tokens", several.len()))
                    .hint(format!("give one of their ids: {}", ids.join(", "))));
            }
        }
    }
    Err(Failure::new(Exit::Missing, format!("there is no access token `{text}`"))
        .hint("see them with: pb gateway tokens"))
}

fn with<T>(home: &Home, work: impl AsyncFnOnce(&Client) -> Result<T, Failure>) -> Result<T, Failure> {
    wait::client(async {
        let client = connection::client(home, Patience::None);
        work(&client).await
    })
}
