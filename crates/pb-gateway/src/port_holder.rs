//! Who listens on a port: for the message that says so, never for a decision.

use std::path::Path;

/// State `LISTEN` in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// The process that listens on this port, if it is one that we may look at.
pub(crate) fn find(port: u16) -> Option<u32> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))?;
    let link = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse::<u32>().ok()?;
        holds(&process.path().join("fd"), &link).then_some(pid)
    })
}

fn listening_inode(table: &str, port: u16) -> Option<String> {
    let port = format!(":{port:04X}");
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (local, _remote, state) = (fields.next()?, fields.next()?, fields.next()?);
        (local.ends_with(&port) && state == LISTEN).then(|| fields.nth(5).map(str::to_owned)).flatten()
    })
}

fn holds(descriptors: &Path, link: &str) -> bool {
    std::fs::read_dir(descriptors).is_ok_and(|descriptors| {
        descriptors
            .flatten()
            .filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok())
            .any(|target| target.as_os_str() == link)
    })
}
