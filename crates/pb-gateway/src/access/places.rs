//! Places for connections: so many in all, and from each place of origin so many.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Who;

/// Counts connections of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    most: usize,
    most_from_one: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    from: HashMap<Who, usize>,
}

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    who: Who,
    of: Places,
}

impl Places {
    /// So many places, of which one origin may have so many.
    pub(crate) fn new(most: usize, most_from_one: usize) -> Self {
        Self { most, most_from_one, taken: Arc::default() }
    }

    /// A place for one more from there, if there is one.
    pub(crate) fn take(&self, who: Who) -> Option<Place> {
        let mut taken = self.taken();
        let here = taken.from.get(&who).copied().unwrap_or_default();
        if taken.all >= self.most || here >= self.most_from_one {
            return None;
        }
        taken.all += 1;
        taken.from.insert(who, here + 1);
        Some(Place { who, of: self.clone() })
    }

    /// How many are taken.
    pub(crate) fn count(&self) -> usize {
        self.taken().all
    }

    /// How many are taken from each address; those of this machine are one.
    pub(crate) fn by_address(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (who, count) in &self.taken().from {
            *counts.entry(who.address().to_string()).or_default() += *count as u64;
        }
        counts
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.of.taken();
        taken.all -= 1;
        if let Some(here) = taken.from.get_mut(&self.who) {
            *here -= 1;
            if *here == 0 {
                taken.from.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn there_are_few_and_fewer_from_each_origin_and_they_come_free() {
        let places = Places::new(5, 2);
        let who = |n: u8| Who::of(IpAddr::from([192, 0, 2, n]), None);
        let mut taken: Vec<_> = (0..2).map(|_| places.take(who(1)).unwrap()).collect();
        assert!(places.take(who(1)).is_none(), "one origin has its share");
        taken.extend((2..9).filter_map(|n| places.take(who(n))));
        assert_eq!((taken.len(), places.count()), (5, 5));
        let counts = [("192.0.2.1", 2), ("192.0.2.2", 1), ("192.0.2.3", 1), ("192.0.2.4", 1)];
        let counts = counts.map(|(address, count)| (address.to_owned(), count));
        assert_eq!(places.by_address(), BTreeMap::from(counts));
        taken.clear();
        assert_eq!((places.count(), places.taken().from.len()), (0, 0));
        assert!(places.take(who(1)).is_some());
    }
}
