//! Patterns of paths, as in `.gitignore`: `*` stays in its folder, `**` goes through all.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Some patterns, any of which may match a path relative to the workspace.
#[derive(Debug, Clone)]
pub struct Globs(GlobSet);

impl Globs {
    /// Reads patterns.
    ///
    /// # Errors
    /// The place of the first that cannot be read, and what is wrong with it.
    pub fn read(patterns: &[String]) -> Result<Self, (usize, String)> {
        let mut set = GlobSetBuilder::new();
        for (n, pattern) in patterns.iter().enumerate() {
            let glob = GlobBuilder::new(pattern).literal_separator(true).build();
            set.add(glob.map_err(|error| (n, error.kind().to_string()))?);
        }
        set.build().map(Self).map_err(|error| (0, error.kind().to_string()))
    }

    /// Whether one of them matches.
    pub fn match_path(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::Globs;

    #[test]
    fn a_star_stays_in_its_folder() {
        let globs = |patterns: &[&str]| {
            Globs::read(&patterns.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
        };
        let source = globs(&["src/*.rs", "文档/**", "{a,b}.txt"]).unwrap();
        let matched = |path| source.match_path(path);
        assert!(["src/lib.rs", "文档/一/二.md", "b.txt"].into_iter().all(matched));
        assert!(
            !["src/deep/lib.rs", "src/lib.rs.bak", "文档", "c.txt", "x/src/lib.rs"].into_iter().any(matched)
        );
        assert_eq!(globs(&["ok", "a["]).unwrap_err().0, 1);
    }
}
