//! Who listens on a port: for the message that says so, never for a decision.

use std::path::Path;

/// State `LISTEN` in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// Whether somebody listens on this port, whoever it is.
pub fn is_taken(port: u16) -> bool {
    inode(port).is_some()
}

/// The process that listens on this port, if it is one that we may look at.
pub fn find(port: u16) -> Option<u32> {
    let inode = inode(port)?;
    let link = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse::<u32>().ok()?;
        holds(&process.path().join("fd"), &link).then_some(pid)
    })
}

/// The inode of the socket that listens on this port.
fn inode(port: u16) -> Option<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listening_inode(&table, port))
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_listens_is_found_and_who_does_not_any_more_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!((is_taken(port), find(port)), (true, Some(std::process::id())));
        drop(listener);
        assert_eq!((is_taken(port), find(port)), (false, None));
    }
}
