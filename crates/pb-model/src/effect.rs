//! Effect keys: the name under which an outside effect is done at most once.

use crate::RunId;

/// `blake3(run, n, tool, arguments)`, as hex (`durability.md` §4).
///
/// `n` is the step's place in the journal, so the key is stable when a run is continued after a
/// crash and new in a new attempt. Fields are length-prefixed: no two argument lists collide.
pub fn effect_key(run: RunId, n: u32, tool: &str, arguments: &[String]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(run.uuid().as_bytes());
    field(&n.to_le_bytes());
    field(tool.as_bytes());
    for argument in arguments {
        field(argument.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn arguments_do_not_run_into_each_other() {
        let run = RunId::from(Uuid::from_u128(1));
        let key = |args: &[&str]| {
            effect_key(run, 1, "command", &args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["ab"]));
        assert_ne!(key(&["a", "b"]), key(&["a", "b", ""]));
    }
}
