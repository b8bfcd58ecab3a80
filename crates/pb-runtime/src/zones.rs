//! The time zones of the machine.

use jiff::tz::TimeZone;

/// The zone of a name, such as `Europe/Berlin`.
pub fn get(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Every name.
pub fn names() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

/// The name of the machine's own zone; `UTC` where it has none.
pub fn own() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}
