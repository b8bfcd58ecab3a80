use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use uuid::Uuid;

use super::*;

/// A home, and a folder that a goal works in.
struct Place {
    _root: TempDir,
    home: Home,
    folder: PathBuf,
    goal: GoalId,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::Builder::new().prefix("pb").tempdir_in("/tmp").unwrap();
        let home = Home::at(&root.path().join("home")).unwrap();
        home.prepare().unwrap();
        let folder = root.path().join("作品");
        fs::create_dir(&folder).unwrap();
        Self { _root: root, home, folder, goal: GoalId::from(Uuid::from_u128(7)) }
    }

    fn git(&self, arguments: &[&str]) -> String {
        String::from_utf8(git::raw(&self.folder, arguments).unwrap()).unwrap()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), text).unwrap();
    }

    fn fill(&self) {
        self.write("a.txt", "one\ntwo\nthree\n");
        self.write("里/b.txt", "deep\n");
        self.write("odd\nname", "x");
        self.write("\"quoted\"", "y");
        self.write("run.sh", "#!/bin/sh\n");
        fs::set_permissions(self.at("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("a.txt", self.at("link")).unwrap();
        self.write(".gitignore", "ignored\n");
        self.write("ignored", "stays");
    }

    fn keep(&self) -> Kept {
        let now = Manifest::take(&self.folder, None).unwrap();
        keep(&self.home, (self.goal, Which::Start), &self.folder, &now)
    }

    /// What a goal might do.
    fn work(&self) {
        self.write("a.txt", "one\n2\nthree\n");
        fs::remove_file(self.at("里/b.txt")).unwrap();
        fs::remove_dir(self.at("里")).unwrap();
        // In the place of a folder, a link that leads out.
        symlink("/tmp", self.at("里")).unwrap();
        self.write("new/deep/file", "new\n");
        fs::set_permissions(self.at("run.sh"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::remove_file(self.at("link")).unwrap();
        symlink("run.sh", self.at("link")).unwrap();
        self.write("ignored", "changed, and not ours to say");
    }

    fn changes(&self, which: Which, kept: &Kept) -> Changes {
        changes(&self.home, (self.goal, which), kept, &self.folder).unwrap()
    }

    /// Everything in the folder but `.git`, as text.
    fn told(&self) -> String {
        let now = Manifest::take(&self.folder, None).unwrap();
        let files = record::files(&self.folder, &now).unwrap();
        let line = |(name, file): (&String, &record::FileRecord)| {
            format!("{name:?} {:?} {}", file.mode, file.digest.get(..8).unwrap_or_default())
        };
        files.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn restored(changes: &Changes) -> Restored {
    let all: Vec<&Change> = changes.all.iter().collect();
    restore(changes, &all).unwrap()
}

fn kept_worked_on_and_undone(place: &Place) -> Kept {
    place.fill();
    let before = place.told();
    let kept = place.keep();
    assert_eq!(place.changes(Which::Start, &kept).all, []);

    place.work();
    let after = place.told();
    let changes = place.changes(Which::Start, &kept);
    let words: Vec<String> =
        changes.all.iter().map(|change| format!("{} {}", change.what.as_str(), change.path)).collect();
    assert_eq!(
        words,
        [
            "changed a.txt",
            "changed link",
            "added new/deep/file",
            "mode run.sh",
            "added 里",
            "deleted 里/b.txt"
        ]
    );
    let first = changes.all.first().unwrap();
    insta::assert_snapshot!(changes.unified(first).unwrap(), @"
    --- a/a.txt
    +++ b/a.txt
    @@ -1,3 +1,3 @@
     one
    -two
    +2
     three
    ");

    keep_present(&changes).unwrap();
    assert_eq!(restored(&changes), Restored { put_back: 4, removed: 2 });
    assert_eq!(place.told(), before);
    assert!(!place.at("new").exists(), "empty folders go too");
    assert!(!Path::new("/tmp/b.txt").exists(), "nothing is written through a link");

    // And back again.
    let undone = Record::read(&place.home, (place.goal, Which::Undone)).unwrap().kept;
    restored(&place.changes(Which::Undone, &undone));
    assert_eq!(place.told(), after);
    kept
}

#[test]
fn a_folder_is_copied_and_what_a_goal_did_to_it_is_undone() {
    let place = Place::new();
    let kept = kept_worked_on_and_undone(&place);
    assert!(matches!(kept, Kept::Copy { bytes: 39.. }), "{kept:?}");
    forget(&place.home, place.goal, Some(&place.folder));
    assert_eq!(fs::read_dir(place.home.kept()).unwrap().count(), 0);
}

#[test]
fn a_repository_keeps_them_as_a_commit_and_nothing_of_the_persons_is_touched() {
    let place = Place::new();
    place.git(&["init", "--quiet", "--initial-branch", "main"]);
    place.write("a.txt", "one\ntwo\nthree\n");
    place.git(&["add", "a.txt"]);
    place.git(&["commit", "--quiet", "--message", "mine"]);
    place.write("staged", "not yet committed");
    place.git(&["add", "staged"]);
    let theirs = |place: &Place| {
        let index = place.git(&["diff", "--cached"]);
        (index, place.git(&["log", "--oneline", "main"]), place.git(&["for-each-ref", "refs/heads"]))
    };
    let before = theirs(&place);

    let kept = kept_worked_on_and_undone(&place);
    let Kept::Git { commit } = &kept else { panic!("{kept:?}") };
    let reference = format!("refs/ponybunny/{}", place.goal);
    assert_eq!(place.git(&["rev-parse", &reference]).trim(), commit);
    assert_eq!(place.git(&["show", &format!("{commit}:a.txt")]), "one\ntwo\nthree\n");
    assert_eq!(place.git(&["rev-parse", &format!("{commit}^")]), place.git(&["rev-parse", "main"]));
    assert_eq!(theirs(&place), before, "index and branches are theirs");

    forget(&place.home, place.goal, Some(&place.folder));
    assert_eq!(place.git(&["for-each-ref", "refs/ponybunny"]), "");
}

#[test]
fn nothing_that_a_repository_configures_is_run() {
    let place = Place::new();
    place.git(&["init", "--quiet"]);
    let witness = place.folder.parent().unwrap().join("witness");
    let script = place.folder.parent().unwrap().join("evil.sh");
    fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", witness.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", script),
        ("filter.evil.clean", script),
        ("filter.evil.smudge", script),
        ("diff.external", script),
        ("core.sshCommand", script),
    ] {
        place.git(&["config", key, value]);
    }
    place.write(".gitattributes", "* filter=evil\n");
    for hook in ["reference-transaction", "pre-commit", "post-commit", "post-index-change"] {
        let path = place.at(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(script, &path).unwrap();
    }
    place.write("a.txt", "one\n");
    let kept = place.keep();
    assert!(matches!(kept, Kept::Git { .. }), "{kept:?}");
    place.write("a.txt", "two\n");
    restored(&place.changes(Which::Start, &kept));
    assert_eq!(fs::read_to_string(place.at("a.txt")).unwrap(), "one\n");
    forget(&place.home, place.goal, Some(&place.folder));
    assert!(!witness.exists(), "{}", fs::read_to_string(&witness).unwrap_or_default());
}

#[test]
fn an_empty_folder_needs_no_record() {
    let place = Place::new();
    let kept = place.keep();
    assert_eq!((&kept, fs::read_dir(place.home.kept()).unwrap().count()), (&Kept::Empty, 0));
    place.write("new", "x");
    assert_eq!(restored(&place.changes(Which::Start, &kept)), Restored { put_back: 0, removed: 1 });
}

#[test]
fn a_folder_that_is_too_large_is_not_kept_and_says_so() {
    let place = Place::new();
    let large = fs::File::create(place.at("large")).unwrap();
    large.set_len(COPY_BYTES_MAX + 1).unwrap();
    let kept = place.keep();
    let Kept::Not { why } = &kept else { panic!("{kept:?}") };
    assert!(why.contains("at most 1073741824"), "{why}");
    assert!(changes(&place.home, (place.goal, Which::Start), &kept, &place.folder).is_err());
}

#[test]
fn a_copy_that_a_kill_cut_off_is_made_again() {
    let place = Place::new();
    place.write("a.txt", "whole\n");
    let copies = place.home.kept().join(Which::Start.name(place.goal));
    fs::create_dir_all(&copies).unwrap();
    let cut_off = copies.join(record::UNFINISHED);
    fs::write(&cut_off, "who").unwrap();
    fs::set_permissions(&cut_off, fs::Permissions::from_mode(0o444)).unwrap();
    let kept = place.keep();
    assert!(!cut_off.exists());
    place.write("a.txt", "other\n");
    restored(&place.changes(Which::Start, &kept));
    assert_eq!(fs::read_to_string(place.at("a.txt")).unwrap(), "whole\n");
}

#[test]
fn what_cannot_be_kept_now_is_said_before_anything_is_put_back() {
    let place = Place::new();
    place.write("a.txt", "before\n");
    let kept = place.keep();
    fs::File::create(place.at("large")).unwrap().set_len(COPY_BYTES_MAX + 1).unwrap();
    let refused = keep_present(&place.changes(Which::Start, &kept));
    assert!(matches!(refused, Err(KeptError::NoWayBack(_))), "{refused:?}");
}
