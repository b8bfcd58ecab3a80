//! The parameters of every method of the table.

use pb_protocol::for_each_method;
use pb_protocol::methods::{METHODS, Method, goal, params as read};
use serde_json::value::RawValue;

/// The first line names a method, or its first byte chooses one; the rest are its parameters.
pub fn params(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (name, rest) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(raw) = serde_json::from_str::<Box<RawValue>>(rest) else { return };
    let chosen = name.bytes().next().and_then(|first| METHODS.get(usize::from(first) % METHODS.len()));
    let method = if METHODS.iter().any(|method| method.name == name) {
        name
    } else {
        chosen.map_or(name, |method| method.name)
    };
    of_method(method, &raw);
}

/// What is taken can be written, read again, and is the same then.
pub(crate) fn of_method(name: &str, raw: &RawValue) {
    macro_rules! each {
        ($($method:ty),* $(,)?) => {
            match name {
                $(<$method as Method>::NAME => comes_back::<$method>(raw),)*
                _ => {}
            }
        };
    }
    for_each_method!(each);
}

fn comes_back<M: Method>(raw: &RawValue) {
    let Ok(mut taken) = read::<M>(raw) else { return };
    let value = |params: &M::Params| serde_json::to_value(params).expect("parameters can be written");
    // Digests of commands depend on it: the same parameters are the same value.
    let again = serde_json::value::to_raw_value(&taken).expect("parameters can be written");
    let back = read::<M>(&again).unwrap_or_else(|error| panic!("{}: {error}: {again}", M::NAME));
    assert_eq!(value(&back), value(&taken), "{}", M::NAME);
    M::make_repeatable(&mut taken, || "key".to_owned());
    let _ = value(&taken);
    if M::NAME == goal::Submit::NAME
        && let Ok(submitted) = read::<goal::Submit>(raw)
    {
        let _ = submitted.spec.validate(); // Either way; it is the way that counts.
    }
}
