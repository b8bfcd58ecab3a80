//! What a service does not see of the shell in which it is installed.

use pb_runtime::{Home, environment};

/// Ours, beside `PB_HOME`, which the unit names.
const OURS: [&str; 4] = ["PB_HOST", "PB_PORT", "PB_DEBUG_PORT", "PB_LOG"];
/// How the names of keys end.
const KEY: &str = "_API_KEY";

/// Says which variables of this shell the service will miss, if there are such.
pub(super) fn missed(home: &Home) -> Option<String> {
    let set = environment::all().into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name);
    let (mut keys, mut others): (Vec<String>, Vec<String>) = set
        .filter(|name| name.ends_with(KEY) || OURS.contains(&name.as_str()))
        .partition(|name| name.ends_with(KEY));
    keys.sort_unstable();
    others.sort_unstable();
    let mut advice = Vec::new();
    if !keys.is_empty() {
        advice.push(format!(
            "the keys of {} belong into {}",
            keys.join(" and "),
            home.credentials().display()
        ));
    }
    if !others.is_empty() {
        let lines: Vec<String> = others.iter().map(|name| format!("Environment={name}=…")).collect();
        advice.push(format!("add {} with: systemctl --user edit ponybunny", lines.join(" and ")));
    }
    let advice = advice.join("; ");
    (!advice.is_empty()).then(|| format!("the service does not see the variables of this shell: {advice}"))
}
