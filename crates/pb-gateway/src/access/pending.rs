//! Connections that have not said yet who they are: few, and from each place fewer (`security.md` 8).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Who;

/// Most of them at once.
pub(crate) const PENDING_MAX: usize = 256;
/// Most of them from one place.
pub(crate) const PENDING_FROM_ONE_MAX: usize = 16;
/// How long one may take to say who it is (`wire.md` §2.1).
pub const PENDING_MAX_AGE: Duration = Duration::from_secs(30);
/// Longest frame of one, in bytes.
pub(crate) const PENDING_FRAME_BYTES: usize = 64 * 1024;

/// Counts them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pending(Arc<Mutex<HashMap<Who, usize>>>);

/// The place of one of them; free again when it is dropped.
#[derive(Debug)]
pub(crate) struct PendingSeat {
    who: Who,
    all: Pending,
}

impl Pending {
    /// A place for one more from there, if there is one.
    pub(crate) fn seat(&self, who: Who) -> Option<PendingSeat> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.values().sum::<usize>() >= PENDING_MAX {
            return None;
        }
        let here = all.entry(who).or_default();
        if *here >= PENDING_FROM_ONE_MAX {
            return None;
        }
        *here += 1;
        Some(PendingSeat { who, all: self.clone() })
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }
}

impl Drop for PendingSeat {
    fn drop(&mut self) {
        let mut all = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = all.get_mut(&self.who) {
            *here -= 1;
            if *here == 0 {
                all.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn there_are_few_and_fewer_from_each_place_and_places_come_free() {
        let pending = Pending::default();
        let who = |n: u8| Who::of(IpAddr::from([192, 0, 2, n]), None);
        let mut seats: Vec<_> = (0..PENDING_FROM_ONE_MAX).map(|_| pending.seat(who(0)).unwrap()).collect();
        assert!(pending.seat(who(0)).is_none(), "one place has its share");
        for n in 1..=u8::MAX {
            seats.extend((0..PENDING_FROM_ONE_MAX).map_while(|_| pending.seat(who(n))));
        }
        assert_eq!((seats.len(), pending.count()), (PENDING_MAX, PENDING_MAX));
        seats.clear();
        assert_eq!((pending.count(), pending.0.lock().unwrap().len()), (0, 0));
        assert!(pending.seat(who(0)).is_some());
    }
}
