//! What a debug event says, in one line for people: its keys put into words.

use serde_json::Value;

use crate::format;

/// What is said of each kind. `{key}` is the value; what stands in brackets is left out when one of its values is not
/// there, `false`, empty or 0.
const WORDS: &[(&str, &str)] = &[
    ("system.startup", "the scheduler starts: version {config.version}, incarnation {config.epoch}"),
    ("system.shutdown", "the scheduler ends after {durationMs}: {reason}"),
    (
        "store.commits",
        "{count} commit(s) of {writes} write(s); each {batchP50}, at most {batchMax}, in {durationUsP50}, at most \
         {durationUsMax}",
    ),
    ("trace.dropped", "{count} event(s) were dropped"),
    ("scheduler.goal.submitted", "{title} (by {by}[, schedule {scheduleId}][, conversation {sessionId}])"),
    ("scheduler.goal.elaborated", "{assumptions} assumption(s), {criteria} criterion(s)"),
    ("scheduler.goal.planned", "{items} item(s)"),
    ("scheduler.goal.replanning", "{by} wants another plan: {why}"),
    ("scheduler.goal.started", "works in {workspace}"),
    ("scheduler.goal.taken_over", "incarnation {epoch} goes on with it"),
    ("scheduler.clock.jumped", "the clock jumped by {byMs}"),
    ("scheduler.goal.blocked", "{escalations} question(s): {summary}"),
    ("scheduler.goal.paused", "by {by}"),
    ("scheduler.goal.resumed", "by {by}"),
    ("scheduler.goal.prioritized", "to {priority}, by {by}"),
    ("scheduler.goal.cancelling", "by {by}[: {reason}]"),
    ("scheduler.goal.completed", "{verdict} after {durationMs}, {artifacts} file(s): {summary}"),
    ("scheduler.goal.failed", "{reason} after {durationMs}: {error} ({error.type})"),
    ("scheduler.goal.cancelled", "by {by} after {durationMs}[: {reason}]"),
    ("scheduler.goal.compacted", "{events} event(s) were dropped"),
    ("phase.started", "{phase} begins"),
    ("phase.ended", "{phase} took[{atLeast} at least] {durationMs}"),
    ("lock.wait.started", "waits for {workspace}, behind {behind}"),
    ("lock.wait.ended", "waited[{atLeast} at least] {durationMs}"),
    ("state.transition", "{entityType}: {from} -> {to}"),
    ("scheduler.workitem.created", "{title}[, needs {needs} other(s)]"),
    ("scheduler.workitem.added", "{items} item(s)"),
    ("scheduler.workitem.starting", "{title}"),
    ("scheduler.workitem.assigned", "lane {laneId}[, {model}]"),
    ("lane.waited", "{durationMs} for a place in lane {laneId}"),
    ("scheduler.workitem.success", "done[: {verdict}]"),
    (
        "scheduler.workitem.retrying",
        "attempt {retryCount} failed: {error} ({error.type}); again in {delayMs}",
    ),
    ("scheduler.workitem.failed", "{error} ({error.type}, {class})"),
    ("scheduler.workitem.blocked", "{error} ({error.type}); {escalationId}"),
    ("scheduler.workitem.reopened", "is tried again[{allows}, and may repeat a call]"),
    ("scheduler.workitem.skipped", "by {by}"),
    ("scheduler.workitem.superseded", "another plan takes its place"),
    ("scheduler.run.started", "attempt {attempt}[ to {purpose}][ {reviews}]"),
    ("scheduler.run.continued", "by a later incarnation[{ranAgain}, its command runs again][: {why}]"),
    ("scheduler.run.completed", "{status} after {durationMs}[: {error} ({error.type})]"),
    (
        "scheduler.conversation.condensed",
        "{turns} turn(s) and {results} result(s) in short, {bytes} bytes less",
    ),
    ("guard.tripped", "{guard}: {rung}[ {toolName}]"),
    ("scheduler.verification.started", "gates begin[{probe}, to find out whether lost work was done]"),
    ("scheduler.verification.completed", "{verdict}[: {summary}][{recheck} (once more)]"),
    ("scheduler.evaluation.decided", "{decision}: {reason}"),
    ("gate.started", "{kind}: {name}"),
    ("gate.ended", "{name}: {passed:passed|failed} in {durationMs}: {found}[ (exit code {exitCode})]"),
    ("gate.approved", "by {by}, though {edited} file(s) were changed"),
    ("escalation.created", "{escalationType}: {title}"),
    (
        "escalation.resolved",
        "{answer} by {by} after {durationMs}[: {text}][{expired} (nobody answered in time)]",
    ),
    ("approval.changed", "{change}[ by {by}]"),
    (
        "budget.reserved",
        "at most {tokens} tokens, {microUsd}[{unpriced} and more, for it has no price], for {model}",
    ),
    (
        "budget.settled",
        "{tokens} tokens, {microUsd}[{unpriced} and more, for it has no price], by {model}[{assumed} (assumed)]\
         [{overrun} (more than was put aside)]",
    ),
    ("budget.warning", "{percent} % of {cap}"),
    ("budget.exceeded", "{cap} is used up"),
    ("llm.tier.request", "{tier}: {messageCount} message(s) for {primaryModel}[, else {fallbackModel}]"),
    ("llm.model.attempt", "{model}"),
    ("llm.model.success", "{model}[: {tokensUsed} tokens]"),
    ("llm.model.failed", "{model}: {error}"),
    ("llm.model.switched", "from {from}[ to {to}][, tier {tier}] ({why})"),
    ("llm.retry", "{model}, after {failures} failure(s): {error}; again in {delayMs}"),
    ("llm.request", "{messageCount} message(s) to {model}, at most {options.maxTokens} tokens back"),
    (
        "llm.response",
        "{model} in {durationMs}[, the first after {timeToFirstTokenMs}]:[ {response.text}][ -> {response.calls}]",
    ),
    ("llm.error", "{model} in {durationMs}: {error}[ ({error.type})]"),
    ("llm.tokens", "{inputTokens} in, {outputTokens} out"),
    ("tool.invoke", "{toolName} {args}"),
    ("policy.decided", "{toolName}: {decision}, {why}"),
    ("tool.result", "{toolName} in {durationMs}:[ {result}]"),
    ("tool.error", "{toolName} in {durationMs}:[ {error}][ ({error.type})]"),
    ("session.started", "by {by}"),
    ("conversation.message.received", "{messageLength} character(s)"),
    ("session.process.start", "{messagePreview}"),
    ("session.process.complete", "{response}"),
    (
        "conversation.message.completed",
        "{responseLength} character(s)[ after {durationMs}][{hasTask}, and a goal]",
    ),
    ("conversation.message.error", "{error}[; again in {delayMs}]"),
    ("session.progress.update", "{goalId}[ {status}]: {text}"),
    ("session.ended", "by {by} after {durationMs}"),
    ("schedule.created", "{title} (by {by})"),
    ("schedule.claimed", "{goalId}, {lateMs} after its slot"),
    ("schedule.ran", "{goalId}, by {by}"),
    ("schedule.skipped", "{count} slot(s): {why}"),
    ("schedule.goal_ended", "{goalId}: {outcome}[: {error}]"),
    ("schedule.broke", "{reason}"),
    ("schedule.changed", "{change} by {by}"),
];

/// What is said of an event; of a kind that is not known, its data.
pub(super) fn words(kind: &str, data: &str) -> String {
    let known = WORDS.iter().find(|(known, _)| *known == kind).map(|(_, words)| *words);
    let told = known.zip(serde_json::from_str::<Value>(data).ok());
    // What was told by an earlier version, or by another program, may have other keys.
    let said = told.and_then(|(words, data)| fill(words, &data)).map(|said| said.trim().to_owned());
    format::excerpt(&said.unwrap_or_else(|| data.to_owned()))
}

/// The template with its values; `None` when one is not there that has to be.
fn fill(template: &str, data: &Value) -> Option<String> {
    let mut said = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['[', '{']) {
        let (plain, found) = rest.split_at(at);
        said.push_str(plain);
        if let Some(optional) = found.strip_prefix('[') {
            let (inner, after) = optional.split_once(']')?;
            said.push_str(&optional_part(inner, data).unwrap_or_default());
            rest = after;
        } else {
            let (key, after) = found.strip_prefix('{')?.split_once('}')?;
            said.push_str(&value(key, data)?);
            rest = after;
        }
    }
    said.push_str(rest);
    Some(said)
}

/// A part whose values are all there and say something. One that only says whether is not shown itself.
fn optional_part(part: &str, data: &Value) -> Option<String> {
    if let Some((flag, after)) = part.strip_prefix('{').and_then(|part| part.split_once('}'))
        && find(flag, data).is_some_and(Value::is_boolean)
    {
        return if find(flag, data)?.as_bool()? { fill(after, data) } else { None };
    }
    let says = |key: &str| value(key, data).is_some_and(|value| !value.is_empty() && value != "0");
    fill(part, data).filter(|_| keys(part).all(says))
}

fn keys(part: &str) -> impl Iterator<Item = &str> {
    part.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(key, _)| key)
}

/// `error.type` is one key; `config.epoch` one in another.
fn find<'d>(key: &str, data: &'d Value) -> Option<&'d Value> {
    data.get(key).or_else(|| key.split_once('.').and_then(|(outer, inner)| data.get(outer)?.get(inner)))
}

/// As people read it: times as durations, money as such.
fn value(key: &str, data: &Value) -> Option<String> {
    if let Some((key, words)) = key.split_once(':') {
        let (yes, no) = words.split_once('|')?;
        return Some(if find(key, data)?.as_bool()? { yes } else { no }.to_owned());
    }
    Some(match find(key, data)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(ms) if key.ends_with("Ms") => format::duration(ms),
            Some(us) if key.starts_with("durationUs") => {
                format!("{}.{:02} ms", us / 1000, us % 1000 / 10)
            }
            Some(micro) if key == "microUsd" => format::usd(micro),
            _ if key.ends_with("Ms") => format!("{number} ms"),
            _ => number.to_string(),
        },
        Value::Array(list) if list.is_empty() => String::new(),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn check(kind: &str, data: &str, said: &str) {
        assert_eq!(words(kind, data), said);
    }

    #[test]
    fn what_is_told_is_said_in_words() {
        check("phase.ended", r#"{"phase":"planning","durationMs":1500}"#, "planning took 1.5 s");
        check(
            "phase.ended",
            r#"{"phase":"planning","durationMs":1500,"atLeast":true}"#,
            "planning took at least 1.5 s",
        );
        check(
            "gate.ended",
            r#"{"kind":"command","name":"测试","passed":false,"found":"no","exitCode":1,"durationMs":3}"#,
            "测试: failed in 3 ms: no (exit code 1)",
        );
        check(
            "llm.response",
            r#"{"model":"a/b","durationMs":2500,"timeToFirstTokenMs":7,"response":{"text":"","calls":["write_file"]}}"#,
            "a/b in 2.5 s, the first after 7 ms: -> write_file",
        );
        check(
            "budget.settled",
            r#"{"model":"a/b","tokens":12,"microUsd":1500000,"assumed":true,"overrun":false,"unpriced":false}"#,
            "12 tokens, 1.50 USD, by a/b (assumed)",
        );
        check("scheduler.run.completed", r#"{"status":"success","durationMs":9}"#, "success after 9 ms");
        check("llm.model.success", r#"{"model":"a/b","tokensUsed":1100}"#, "a/b: 1100 tokens");
        check("scheduler.workitem.created", r#"{"title":"a","needs":0}"#, "a");
        check(
            "scheduler.goal.failed",
            r#"{"reason":"refused","durationMs":9,"error":"没有","error.type":"REFUSED"}"#,
            "refused after 9 ms: 没有 (REFUSED)",
        );
        // Of an earlier version, and of another program.
        check(
            "scheduler.run.continued",
            r#"{"ranAgain":true}"#,
            "by a later incarnation, its command runs again",
        );
        check("tool.result", r#"{"toolName":"x"}"#, r#"{"toolName":"x"}"#);
        check("my.event", r#"{"a":1}"#, r#"{"a":1}"#);
    }

    #[test]
    fn every_kind_has_words_of_its_own_keys() {
        let page = include_str!("../../../../../docs/TRACE.md");
        let (_, table) = page.split_once("<!-- kinds -->").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let mut kinds = BTreeSet::new();
        for (kind, keys_there) in rows {
            kinds.insert(kind);
            let words = WORDS.iter().find(|(known, _)| *known == kind).map(|(_, words)| *words);
            for key in keys(words.unwrap_or_default()) {
                let key = key.split_once(':').map_or(key, |(key, _)| key);
                let is_there = |key: &str| keys_there.contains(&format!("`{key}`"));
                let outer = key.split_once('.').map_or(key, |(outer, _)| outer);
                assert!(is_there(key) || is_there(outer), "{kind} has no key {key}");
            }
        }
        let worded: BTreeSet<_> = WORDS.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, worded);
    }
}
