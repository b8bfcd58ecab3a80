//! Reads the Prometheus text format 0.0.4, and takes nothing that it does not allow.

use std::collections::{BTreeMap, BTreeSet};

/// A page of metrics.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    /// Samples by name and labels, as they stand there.
    samples: BTreeMap<String, String>,
    /// The type of each family.
    pub(crate) families: BTreeMap<String, String>,
}

impl Exposition {
    /// Reads a page.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut page = Self::default();
        let (mut helped, mut family) = (BTreeSet::new(), String::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, _) = rest.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()), "two HELP lines: {line}");
                name.clone_into(&mut family);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert_eq!(name, family, "HELP and TYPE stand together");
                assert!(page.families.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
            } else {
                page.sample(line, &family);
            }
        }
        page.check_histograms();
        page
    }

    fn sample(&mut self, line: &str, family: &str) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap();
        let mut letters = name.chars();
        assert!(letters.next().is_some_and(|first| first.is_ascii_alphabetic()), "{line}");
        assert!(letters.all(|one| one.is_ascii_alphanumeric() || one == '_'), "{line}");
        let suffixes: &[&str] = match self.families.get(family).map(String::as_str) {
            Some("histogram") => &["_bucket", "_sum", "_count"],
            Some(_) => &[""],
            None => panic!("a sample without a TYPE: {line}"),
        };
        let is_ours = suffixes.iter().any(|suffix| name.strip_suffix(suffix) == Some(family));
        assert!(is_ours, "`{line}` stands below {family}");
        for label in labels(series) {
            let (key, value) = label.split_once('=').unwrap();
            assert!(key.chars().all(|one| one.is_ascii_lowercase() || one == '_'), "{line}");
            assert!(value.len() >= 2 && value.starts_with('"') && value.ends_with('"'), "{line}");
        }
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(self.samples.insert(series.to_owned(), value.to_owned()).is_none(), "twice: {line}");
    }

    /// Buckets rise to the count, which `+Inf` has too.
    fn check_histograms(&self) {
        for (family, _) in self.families.iter().filter(|(_, kind)| *kind == "histogram") {
            let mut buckets: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
            for (series, value) in &self.samples {
                if !series.starts_with(&format!("{family}_bucket{{")) {
                    continue;
                }
                let (le, others): (Vec<_>, Vec<_>) =
                    labels(series).into_iter().partition(|label| label.starts_with("le="));
                let [le] = le.as_slice() else { panic!("{series}") };
                let le = le.trim_start_matches("le=\"").trim_end_matches('"').parse().unwrap();
                buckets.entry(others.join(",")).or_default().push((le, value.parse().unwrap()));
            }
            for (labels, mut of) in buckets {
                of.sort_by(|a, b| a.0.total_cmp(&b.0));
                assert!(of.is_sorted_by(|a, b| a.1 <= b.1), "{family}{{{labels}}}: {of:?}");
                let count = self.value(&format!("{family}_count{{{labels}}}"));
                assert_eq!(of.last(), Some(&(f64::INFINITY, count)), "{family}{{{labels}}}");
            }
        }
    }

    /// The value of one series; 0 of one that is not there.
    pub(crate) fn value(&self, series: &str) -> f64 {
        self.text(series).parse().unwrap()
    }

    /// The same, as it stands there.
    pub(crate) fn text(&self, series: &str) -> &str {
        self.samples.get(series).map_or("0", String::as_str)
    }

    /// Every series of a name.
    pub(crate) fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.samples.keys().map(String::as_str).filter(move |series| series.split('{').next() == Some(name))
    }
}

/// The labels of a series; no value of ours has a comma or a quotation mark in it.
fn labels(series: &str) -> Vec<&str> {
    let Some((_, inside)) = series.split_once('{') else { return Vec::new() };
    inside.strip_suffix('}').unwrap().split(',').collect()
}
