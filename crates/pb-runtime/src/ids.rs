//! Fresh ids and random numbers, as a value, so that tests can seed them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::Clock;

/// The counter in an id has so many bits (`rand_a` in RFC 9562 §5.7).
const COUNTER_BITS: u32 = 12;

/// Makes UUIDs (version 7, RFC 9562) and random numbers.
#[derive(Debug, Clone)]
pub struct Ids {
    clock: Clock,
    source: Arc<Mutex<Source>>,
}

#[derive(Debug)]
struct Source {
    rng: StdRng,
    /// Of the last id.
    ms: u64,
    counter: u16,
}

impl Ids {
    /// Seeded by the operating system.
    pub fn random(clock: Clock) -> Self {
        Self::of(clock, rand::make_rng())
    }

    /// The same ids again and again.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        Self::of(clock, StdRng::seed_from_u64(seed))
    }

    fn of(clock: Clock, rng: StdRng) -> Self {
        Self { clock, source: Arc::new(Mutex::new(Source { rng, ms: 0, counter: 0 })) }
    }

    /// A fresh UUID, above every earlier one of this source: what was asked for first sorts first,
    /// also within a millisecond and when the clock goes back (RFC 9562 §6.2, method 1).
    pub fn uuid(&self) -> Uuid {
        let mut source = self.source();
        let now = self.clock.now_ms();
        if now > source.ms {
            source.ms = now;
            // Half of the room is left for the ids of this millisecond.
            source.counter = (source.rng.next_u32() >> (32 - COUNTER_BITS + 1)) as u16;
        } else {
            source.counter += 1;
            if source.counter >> COUNTER_BITS > 0 {
                source.counter = 0;
                source.ms += 1;
            }
        }
        let mut random = [0; 10];
        source.rng.fill_bytes(&mut random);
        let [high, low] = source.counter.to_be_bytes();
        [random[0], random[1]] = [high, low];
        uuid::Builder::from_unix_timestamp_millis(source.ms, &random).into_uuid()
    }

    /// A fresh random number.
    pub fn number(&self) -> u64 {
        self.source().rng.next_u64()
    }

    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn ids_rise_within_a_millisecond_and_when_the_clock_goes_back() {
        let time = Arc::new(AtomicU64::new(1_000));
        let ids = Ids::seeded(Clock::Manual(Arc::clone(&time)), 7);
        let mut all: Vec<Uuid> = (0..10_000).map(|_| ids.uuid()).collect();
        time.store(500, Ordering::SeqCst);
        all.extend((0..10).map(|_| ids.uuid()));
        time.store(2_000, Ordering::SeqCst);
        all.extend((0..10).map(|_| ids.uuid()));
        assert!(all.is_sorted_by(|a, b| a < b));
        assert!(all.iter().all(|id| id.get_version_num() == 7));
    }
}
