//! On which file system something lies, by the table of mounts (`proc_pid_mountinfo(5)`).
//!
//! A home on a network file system is refused: its locks may not hold between machines, what was synced may not be on
//! a disk, and the shared memory of SQLite's WAL works on one machine only.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Types of file systems that other machines serve, as the kernel names them.
const OF_OTHERS: [&str; 18] = [
    "nfs",
    "nfs3",
    "nfs4",
    "smb",
    "smbfs",
    "smb2",
    "smb3",
    "cifs",
    "9p",
    "sshfs",
    "ceph",
    "glusterfs",
    "afs",
    "coda",
    "lustre",
    "beegfs",
    "davfs",
    "ncpfs",
];
/// Programs that bring a file system of elsewhere through FUSE: what stands after `fuse.`.
const THROUGH_FUSE: [&str; 12] = [
    "sshfs",
    "glusterfs",
    "ceph",
    "ceph-fuse",
    "s3fs",
    "rclone",
    "davfs",
    "gcsfuse",
    "curlftpfs",
    "smbnetfs",
    "juicefs",
    "gvfsd-fuse",
];
/// Numbers by which `statfs(2)` tells the same, for where no table of mounts can be read.
const NUMBERS: [(i64, &str); 9] = [
    (0x6969, "nfs"),
    (0x517B, "smb"),
    (0xFF53_4D42, "cifs"),
    (0xFE53_4D42, "smb2"),
    (0x0102_1997, "9p"),
    (0x5346_414F, "afs"),
    (0x7375_7245, "coda"),
    (0x00C3_6400, "ceph"),
    (0x0BD0_0BD0, "lustre"),
];

/// What is mounted somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The type, such as `ext4` or `fuse.sshfs`.
    pub kind: String,
    /// Where.
    pub at: PathBuf,
}

/// Whether another machine serves a file system of this type.
pub fn is_of_others(kind: &str) -> bool {
    match kind.strip_prefix("fuse.") {
        Some(program) => THROUGH_FUSE.contains(&program),
        None => OF_OTHERS.contains(&kind),
    }
}

/// What is mounted where `path` lies, which must be absolute and without links, by a table of mounts.
pub fn find(mountinfo: &str, path: &Path) -> Option<Mount> {
    let mounts = mountinfo.lines().filter_map(read).filter(|mount| path.starts_with(&mount.at));
    // The deepest one; of those at one place the last one, which covers the others.
    mounts.max_by_key(|mount| mount.at.components().count())
}

/// What is mounted where `path` lies or would lie; `None` when the system does not tell.
pub fn of(path: &Path) -> Option<Mount> {
    let path = resolved(path);
    let table = std::fs::read_to_string("/proc/self/mountinfo").ok();
    table.and_then(|table| find(&table, &path)).or_else(|| by_number(&path))
}

/// `ID PARENT MAJOR:MINOR ROOT MOUNT-POINT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS`
fn read(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let at = unescaped(before.split(' ').nth(4)?);
    Some(Mount { kind: after.split(' ').next()?.to_owned(), at })
}

/// Blanks, line ends and backslashes stand there as `\040`.
fn unescaped(field: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'\\')
            .then(|| after.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = after.get(if code.is_some() { 3 } else { 0 }..).unwrap_or_default();
    }
    OsString::from_vec(bytes).into()
}

/// The path without links, as far as it is there. One that cannot be looked at, as what a dead server serves, stays as
/// it is written.
fn resolved(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        match ancestor.canonicalize() {
            Ok(real) => {
                return path.strip_prefix(ancestor).map_or_else(|_| real.clone(), |rest| real.join(rest));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(_) => break,
        }
    }
    path.to_owned()
}

fn by_number(path: &Path) -> Option<Mount> {
    let there = path.ancestors().find(|ancestor| ancestor.exists())?;
    let number = rustix::fs::statfs(there).ok()?.f_type;
    let (_, kind) = NUMBERS.into_iter().find(|(one, _)| i128::from(*one) == i128::from(number))?;
    Some(Mount { kind: kind.to_owned(), at: there.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:50 / /home rw shared:5 - nfs4 server:/home rw,vers=4.2
32 31 0:51 / /home/me/local rw - xfs /dev/vdb rw
33 27 0:52 / /mnt/两个\\040words rw - fuse.sshfs me@there: rw,user_id=0
34 27 0:53 / /data rw master:3 propagate_from:2 - cifs //server/data rw
35 27 0:54 / /data rw - btrfs /dev/vdc rw
36 27 0:55 / /c rw - 9p C: rw,trans=fd
37 27 0:56 / /run rw - tmpfs tmpfs rw
38 27 0:57 / /odd\\1 rw - overlay overlay rw
no mount
39 27 0:58 / /shared rw - virtiofs shared rw
40 27 0:59 / /mine rw - fuse.gocryptfs /secret rw";

    #[test]
    fn the_deepest_mount_and_of_two_the_later_one_says_which_file_system_it_is() {
        for (path, kind, refused) in [
            ("/var/lib", "ext4", false),
            ("/home", "nfs4", true),
            ("/home/me/.ponybunny", "nfs4", true),
            ("/home/me/local/.ponybunny", "xfs", false),
            ("/home/me/locally", "nfs4", true),
            ("/homes", "ext4", false),
            ("/mnt/两个 words/pb", "fuse.sshfs", true),
            ("/data/pb", "btrfs", false),
            ("/c/Users", "9p", true),
            ("/run/pb", "tmpfs", false),
            ("/odd\\1/pb", "overlay", false),
            ("/shared", "virtiofs", false),
            ("/mine/pb", "fuse.gocryptfs", false),
        ] {
            let mount = find(TABLE, Path::new(path)).unwrap();
            assert_eq!((mount.kind.as_str(), is_of_others(&mount.kind)), (kind, refused), "{path}");
        }
        assert_eq!(find("", Path::new("/")), None);
    }

    #[test]
    fn what_this_machine_says_is_understood_also_of_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        let there = of(folder.path()).unwrap();
        assert!(!is_of_others(&there.kind), "{there:?}");
        assert_eq!(of(&folder.path().join("not/yet")), Some(there.clone()));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/proc", &link).unwrap();
        assert_eq!(of(&link.join("self")).map(|mount| mount.kind).as_deref(), Some("proc"));
    }

    #[test]
    fn a_number_tells_it_too() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(by_number(folder.path()), None, "it is local");
        assert!(NUMBERS.iter().all(|(_, kind)| is_of_others(kind)));
    }
}
