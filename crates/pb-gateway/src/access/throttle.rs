//! Wrong tokens are counted: after a few, whoever sends them has to wait, longer each time (`security.md` 5).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many wrong tokens cost nothing but the answer.
pub(crate) const FAILURES_FREE: u32 = 20;
/// The first pause; it doubles with each further wrong token.
const PAUSE_FIRST_MS: u64 = 1_000;
/// The longest pause.
const PAUSE_MAX_MS: u64 = 5 * 60 * 1_000;
/// Who sent no wrong token for so long begins anew.
const FORGET_AFTER_MS: u64 = 15 * 60 * 1_000;
/// Most of those who are remembered; the one that was quiet longest is forgotten first.
const REMEMBERED_MAX: usize = 4_096;

/// Who counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Somebody on this machine, whichever loopback address they came by, and of which user if that is known.
    Here(Option<u32>),
    /// An IPv4 address, or the network (/64) of an IPv6 address, which one person has whole.
    There(IpAddr),
}

impl Who {
    /// Their address; that of this machine is one, whichever they came by.
    pub(crate) fn address(self) -> IpAddr {
        match self {
            Self::Here(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::There(address) => address,
        }
    }

    /// Who is at this address.
    pub(crate) fn of(address: IpAddr, uid: Option<u32>) -> Self {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Self::Here(uid);
        }
        match address {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::There(IpAddr::from([a, b, c, d, 0, 0, 0, 0]))
            }
            IpAddr::V4(_) => Self::There(address),
        }
    }
}

/// The wrong tokens of late.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: Mutex<HashMap<Who, Failures>>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last_ms: u64,
}

impl Failures {
    /// When the next token is looked at.
    fn open_at_ms(self) -> u64 {
        let Some(over) = self.count.checked_sub(FAILURES_FREE + 1) else { return 0 };
        let pause = PAUSE_FIRST_MS.checked_shl(over).filter(|pause| pause >> over == PAUSE_FIRST_MS);
        self.last_ms.saturating_add(pause.unwrap_or(PAUSE_MAX_MS).min(PAUSE_MAX_MS))
    }
}

impl Throttle {
    /// How long they have to wait before a token of theirs is looked at, if at all. A right one ends no wait: it
    /// would tell them apart.
    pub(crate) fn wait(&self, who: Who, now_ms: u64) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let left = failures.get(&who)?.open_at_ms().checked_sub(now_ms)?;
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// They sent a wrong token.
    pub(crate) fn failed(&self, who: Who, now_ms: u64) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED_MAX && !failures.contains_key(&who) {
            let quiet = failures.iter().min_by_key(|(_, failures)| failures.last_ms);
            if let Some(quiet) = quiet.map(|(who, _)| *who) {
                failures.remove(&quiet);
            }
        }
        let known = failures.entry(who).or_insert(Failures { count: 0, last_ms: now_ms });
        if now_ms.saturating_sub(known.last_ms) > FORGET_AFTER_MS {
            known.count = 0;
        }
        *known = Failures { count: known.count.saturating_add(1), last_ms: now_ms };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(address: &str) -> Who {
        Who::of(address.parse().unwrap(), Some(1000))
    }

    #[test]
    fn pauses_begin_after_a_few_and_double_up_to_a_limit() {
        let throttle = Throttle::default();
        let me = who("192.0.2.1");
        let mut pauses = Vec::new();
        for _ in 0..FAILURES_FREE + 12 {
            throttle.failed(me, 1_000);
            pauses.push(throttle.wait(me, 1_000).map_or(0, |pause| pause.as_secs()));
        }
        let (free, doubled) = pauses.split_at(FAILURES_FREE as usize);
        assert!(free.iter().all(|pause| *pause == 0), "{free:?}");
        assert_eq!(doubled, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(throttle.wait(me, 1_000 + 300_000), None);
        assert_eq!(throttle.wait(who("192.0.2.2"), 1_000), None);
        throttle.failed(me, 1_000 + FORGET_AFTER_MS + 1);
        assert_eq!(throttle.wait(me, 1_000 + FORGET_AFTER_MS + 1), None, "long ago is forgotten");
    }

    #[test]
    fn the_forms_of_loopback_are_one_and_so_is_a_network_of_ipv6() {
        assert_eq!(who("127.0.0.1"), who("::1"));
        assert_eq!(who("127.0.0.1"), who("::ffff:127.0.0.1"));
        assert_eq!(who("127.0.0.1"), who("127.8.8.8"));
        assert_eq!(who("2001:db8::1"), who("2001:db8::ffff"));
        assert_ne!(who("2001:db8::1"), who("2001:db8:0:1::1"));
        assert_ne!(who("192.0.2.1"), who("127.0.0.1"));
    }

    #[test]
    fn those_who_are_remembered_are_bounded() {
        let throttle = Throttle::default();
        for n in 0..u32::try_from(REMEMBERED_MAX).unwrap() + 10 {
            throttle.failed(Who::There(IpAddr::from(n.to_be_bytes())), u64::from(n));
        }
        let failures = throttle.failures.lock().unwrap();
        assert_eq!(failures.len(), REMEMBERED_MAX);
        assert!(!failures.contains_key(&Who::There(IpAddr::from([0, 0, 0, 0]))));
    }
}
