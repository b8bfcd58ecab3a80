//! The unit: what systemd is told of us.
//!
//! What it says of the program and the home is quoted as systemd.syntax(7), systemd.exec(5) and systemd.service(5)
//! want it; a test has systemd itself read it back.
//!
//! Of the options that confine a service, those are missing that would confine the work of goals as well, which is
//! the person's own and is confined by the keeper, item by item:
//!
//! * `ProtectSystem`, `ProtectHome`, `PrivateTmp`, `ReadWritePaths`, `PrivateDevices` and whatever else takes a mount
//!   namespace: workspaces and tool caches may lie anywhere, also in /tmp; and a user's systemd makes one only inside
//!   of a user namespace, as `PrivateUsers` does: there every file of other users belongs to nobody, and the checks
//!   of owners would judge by that.
//! * `RestrictNamespaces`: Chromium and bubblewrap, when a goal runs them, make namespaces of their own.
//! * `MemoryDenyWriteExecute`: Node, Java and whatever else compiles while it runs would end at once.
//! * `SystemCallFilter`, `SystemCallArchitectures`, `RestrictAddressFamilies`, `LockPersonality`, `RestrictRealtime`:
//!   filters that every tool inherits; debuggers, emulators, programs for 32 bits and `ip` break in ways that nobody
//!   would trace to this file. What a command may reach is for the keeper to say.
//! * `RestrictSUIDSGID`: packing a Debian package and a shared git repository both set these bits.
//! * `CapabilityBoundingSet`, `ProtectKernelTunables` and the like: a user's service has no capabilities to take, and
//!   its systemd may not drop them.
//! * `UMask`: files that a goal delivers would be readable by their owner alone. The home is 0700 as it is.
//! * `PrivateNetwork`, `IPAddressDeny`: models are on the network.
//! * `MemoryMax`: goals have limits of their own, and the sum of them is the person's.

use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;

/// Begins the line with the digest of all that stands below it: whoever edits the file leaves it as it was.
const DIGEST: &str = "# blake3 of what stands below: ";

/// What the unit says that is the same for everybody, after the program and the home.
///
/// `OOMPolicy`: where a tool runs out of memory, the kernel ends the tool; systemd would end everything.
/// `RestartPreventExitStatus`: another one is running (75), config.toml does not work (78): trying again is no help.
/// `TimeoutStopSec`: steps that run have 20 s, and the two processes stop one after the other.
/// `KillMode=mixed`: the supervisor alone is asked, and stops the others in their order.
const SERVICE: &str = "\
WatchdogSec=30
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=75 78
TimeoutStopSec=60
KillMode=mixed
OOMPolicy=continue
NoNewPrivileges=yes
";

/// The text of the unit: starts `program`, with this home where the person has named one.
///
/// # Errors
/// systemd cannot be told of such a path.
pub(super) fn text(program: &Path, home: Option<&Path>) -> Result<String, Failure> {
    let program = command(program)?;
    let home = home.map(|home| environment("PB_HOME", home)).transpose()?.unwrap_or_default();
    let below = format!(
        "[Unit]\n\
         Description=PonyBunny, a runtime for autonomous AI workers\n\
         Documentation=man:pb(1)\n\
         StartLimitIntervalSec=300\n\
         StartLimitBurst=5\n\
         \n\
         [Service]\n\
         Type=notify\n\
         NotifyAccess=main\n\
         ExecStart={program} supervise\n\
         {home}{SERVICE}\
         \n\
         [Install]\n\
         WantedBy=default.target\n"
    );
    let digest = blake3::hash(below.as_bytes());
    Ok(format!(
        "# Written by `pb service install`, and written anew by it unless somebody has edited it.\n\
         # Settings of your own: systemctl --user edit ponybunny\n\
         {DIGEST}{digest}\n\
         {below}"
    ))
}

/// Whether a unit is as we wrote it, whichever version of us.
pub(super) fn is_as_written(text: &str) -> bool {
    let after = text.split_once(DIGEST).and_then(|(_, after)| after.split_once('\n'));
    after.is_some_and(|(digest, below)| digest == blake3::hash(below.as_bytes()).to_string())
}

/// The line of a unit that names the home, if one does.
pub(super) fn home_line(text: &str) -> Option<&str> {
    text.lines().find(|line| line.starts_with("Environment="))
}

/// The program, as the first word of `ExecStart`: quoted, with `%` doubled. A `$` means nothing there.
fn command(program: &Path) -> Result<String, Failure> {
    let path = text_of(program)?;
    // systemd starts no program that is called so, however it is quoted.
    if path.contains(|letter: char| matches!(letter, '"' | '\'' | '\\') || letter.is_control()) {
        let message = format!(
            "systemd starts no program whose path has quotes, backslashes or control characters: {}",
            path.escape_debug()
        );
        return Err(Failure::new(Exit::Config, message)
            .hint("put pb into a folder with a plainer name, such as ~/.local/bin"));
    }
    Ok(format!("\"{}\"", path.replace('%', "%%")))
}

/// A variable that the service gets: quoted, with what would end the quotes escaped, and `%` doubled.
fn environment(name: &str, value: &Path) -> Result<String, Failure> {
    let path = text_of(value)?;
    let mut quoted = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter {
            '%' => quoted.push_str("%%"),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => {
                let message =
                    format!("systemd takes no control characters in {name}: {}", path.escape_debug());
                return Err(Failure::new(Exit::Config, message).hint("name another home in PB_HOME"));
            }
            letter => quoted.push(letter),
        }
    }
    Ok(format!("Environment=\"{name}={quoted}\"\n"))
}

fn text_of(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        let message = format!("systemd takes no path that is not UTF-8: {}", path.display());
        Failure::new(Exit::Config, message).hint("give the folder another name")
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn a_unit_says_what_systemd_needs() {
        assert_snapshot!(text(Path::new("/usr/bin/pb"), None).unwrap(), @r#"
        # Written by `pb service install`, and written anew by it unless somebody has edited it.
        # Settings of your own: systemctl --user edit ponybunny
        # blake3 of what stands below: 25f8cfec9b0def1e944f94a359ab07d5b44dfc117c085ae8fc5618193a343b9f
        [Unit]
        Description=PonyBunny, a runtime for autonomous AI workers
        Documentation=man:pb(1)
        StartLimitIntervalSec=300
        StartLimitBurst=5

        [Service]
        Type=notify
        NotifyAccess=main
        ExecStart="/usr/bin/pb" supervise
        WatchdogSec=30
        Restart=on-failure
        RestartSec=5
        RestartPreventExitStatus=75 78
        TimeoutStopSec=60
        KillMode=mixed
        OOMPolicy=continue
        NoNewPrivileges=yes

        [Install]
        WantedBy=default.target
        "#);
    }

    #[test]
    fn paths_are_quoted_as_systemd_wants_them() {
        let check = |program: &str, home: &str| match text(Path::new(program), Some(Path::new(home))) {
            Ok(text) => {
                let lines = text.lines();
                lines
                    .filter(|line| line.contains('/') && !line.starts_with('#'))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            Err(failure) => failure.to_string(),
        };
        assert_snapshot!(check("/opt/my tools/100%/家/$x/pb", "/家 1/50%h/\"q\"/it's/b\\n\nl"), @r#"
        ExecStart="/opt/my tools/100%%/家/$x/pb" supervise
        Environment="PB_HOME=/家 1/50%%h/\"q\"/it's/b\\n\nl"
        "#);
        assert_snapshot!(check("/it's/pb", "/h"), @r#"
        error: systemd starts no program whose path has quotes, backslashes or control characters: /it\'s/pb
        hint: put pb into a folder with a plainer name, such as ~/.local/bin
        "#);
        assert_snapshot!(check("/pb", "/h\u{7}"), @r#"
        error: systemd takes no control characters in PB_HOME: /h\u{7}
        hint: name another home in PB_HOME
        "#);
        let bytes = Path::new(OsStr::from_bytes(b"/h\xff"));
        assert_snapshot!(text(Path::new("/pb"), Some(bytes)).unwrap_err(), @"
        error: systemd takes no path that is not UTF-8: /h�
        hint: give the folder another name
        ");
    }

    #[test]
    fn an_edited_unit_is_told_from_ours() {
        let ours = text(Path::new("/usr/bin/pb"), Some(Path::new("/h"))).unwrap();
        assert!(is_as_written(&ours));
        assert_eq!(home_line(&ours), Some("Environment=\"PB_HOME=/h\""));
        for edited in [
            ours.replace("WatchdogSec=30", "WatchdogSec=0"),
            format!("{ours}Environment=A=b\n"),
            ours.replace(DIGEST, "# "),
            String::new(),
        ] {
            assert!(!is_as_written(&edited), "{edited}");
        }
        // A comment above the digest is no setting.
        assert!(is_as_written(&format!("# mine\n{ours}")));
    }
}
