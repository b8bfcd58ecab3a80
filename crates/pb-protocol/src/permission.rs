//! What a session may do.

use std::fmt;
use std::str::FromStr;

/// One thing that a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Look.
    Read,
    /// Submit, cancel, and answer what is asked but for approvals.
    Write,
    /// Say yes or no to what waits for it, and answer what is asked.
    Approve,
    /// Everything.
    Admin,
}

impl Permission {
    /// Every permission, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Approve, Self::Admin];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Approve => "approve",
            Self::Admin => "admin",
        }
    }

    /// `write or approve`; none for none.
    pub fn listed(permissions: &[Self]) -> Option<String> {
        let words: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        (!words.is_empty()).then(|| words.join(" or "))
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(word: &str) -> Result<Self, UnknownPermission> {
        let found = Self::ALL.into_iter().find(|permission| permission.as_str() == word);
        found.ok_or_else(|| UnknownPermission(word.to_owned()))
    }
}

/// There is no permission of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission `{0}`; there are: read, write, approve, admin")]
pub struct UnknownPermission(String);

/// Several of them. Who has `admin` has all.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// Those of a list.
    pub const fn of(list: &[Permission]) -> Self {
        let mut bits = 0;
        let mut n = 0;
        while n < list.len() {
            bits |= 1 << list[n] as u8;
            n += 1;
        }
        Self(bits)
    }

    /// Reads words that are separated by commas.
    ///
    /// # Errors
    /// A word that there is not, or none at all.
    pub fn parse(words: &str) -> Result<Self, UnknownPermission> {
        let words = words.split(',').map(str::trim);
        let list = words.map(str::parse).collect::<Result<Vec<Permission>, _>>()?;
        Ok(Self::of(&list))
    }

    /// Whether one of these is enough for what needs one of `needed`; nothing is needed where that is empty.
    pub fn allow(self, needed: &[Permission]) -> bool {
        needed.is_empty() || self.has(Permission::Admin) || needed.iter().any(|one| self.has(*one))
    }

    /// Whether who has these may give others away: they are no more than these.
    pub fn cover(self, others: Self) -> bool {
        self.has(Permission::Admin) || others.0 & !self.0 == 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in their order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |one| self.has(*one))
    }

    /// Their words on the wire.
    pub fn words(self) -> Vec<&'static str> {
        self.iter().map(Permission::as_str).collect()
    }

    fn has(self, one: Permission) -> bool {
        self.0 & one.bit() != 0
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_those_needed_is_enough_and_admin_always_is() {
        let of = |words: &str| Permissions::parse(words).unwrap();
        let answers = [Permission::Write, Permission::Approve];
        for (has, may) in [("read", false), ("write", true), ("read,approve", true), ("admin", true)] {
            assert_eq!(of(has).allow(&answers), may, "{has}");
        }
        assert!(Permissions::default().allow(&[]));
        assert!(!of("write").allow(&[Permission::Approve]));
    }

    #[test]
    fn nobody_gives_away_more_than_they_have() {
        let of = |words: &str| Permissions::parse(words).unwrap();
        assert!(of("admin").cover(of("read,write,approve,admin")));
        assert!(of("read,write").cover(of("write")));
        assert!(!of("read,write").cover(of("approve")));
        assert!(!of("read,write,approve").cover(of("admin")));
    }

    #[test]
    fn words_come_back_as_they_were_and_others_are_refused() {
        assert_eq!(Permissions::parse("approve, read").unwrap().to_string(), "read,approve");
        let unknown = Permissions::parse("read,root").unwrap_err().to_string();
        assert_eq!(unknown, "there is no permission `root`; there are: read, write, approve, admin");
        assert!(Permissions::parse("").is_err());
    }
}
