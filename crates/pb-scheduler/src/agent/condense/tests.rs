use pb_llm::{Said, ToolCall, estimate};
use pb_model::goal::CallEnd;
use pb_store::Step;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::agent::journal::{ModelStep, ToolStep};

/// A turn: how long its words are, and of each call how long its arguments and its result are.
type Turn = (usize, Vec<(usize, usize)>);

fn step(n: u32, kind: &str, result: String) -> Step {
    Step {
        run: String::new(),
        n,
        epoch: 1,
        kind: kind.to_owned(),
        effect_key: String::new(),
        label: String::new(),
        intent_at_ms: 0,
        result_at_ms: Some(0),
        outcome: Some("ok".to_owned()),
        result: Some(result),
    }
}

/// The journal of a conversation with these turns. One without calls is followed by a nudge.
fn talk(turns: &[Turn]) -> Talk {
    let mut steps = Vec::new();
    let mut n = 0;
    let mut request = vec![
        Message::System { text: "the system's text".to_owned() },
        Message::User { text: "the task".to_owned() },
    ];
    for (words, calls) in turns {
        n += 1;
        let answer = n;
        let call = |(place, (arguments, _)): (usize, &(usize, usize))| ToolCall {
            id: format!("{answer}.{place}"),
            name: "read_file".to_owned(),
            arguments: json!({"path": format!("{n}/{}", "a".repeat(*arguments))}),
            signatures: Vec::new(),
        };
        let said = Said {
            text: "言".repeat(*words),
            thought: String::new(),
            calls: calls.iter().enumerate().map(call).collect(),
        };
        let model = ModelStep {
            found: String::new(),
            output: String::new(),
            request: std::mem::take(&mut request),
            said: Some(said),
            finish: None,
            usage: None,
            request_bytes: 0,
            prompts: String::new(),
        };
        steps.push(step(n, "model", serde_json::to_string(&model).unwrap()));
        for (_, result) in calls {
            n += 1;
            let tool = ToolStep {
                found: String::new(),
                output: format!("{n}:{}</tool_result>", "文".repeat(*result)),
                end: if n % 5 == 0 { CallEnd::Failed } else { CallEnd::Ok },
                duration_ms: 1,
            };
            steps.push(step(n, "tool", serde_json::to_string(&tool).unwrap()));
        }
        if calls.is_empty() {
            request.push(Message::User { text: "call a tool".to_owned() });
        }
    }
    Talk::fold(&steps).unwrap()
}

const COUNTS: &str = "what still counts";

fn sent(talk: &Talk, how: Condensed) -> Vec<Message> {
    let tell = |told: Told| {
        let left_out =
            if told.left_out > 0 { format!("({} earlier)\n", told.left_out) } else { String::new() };
        Ok::<_, ()>(format!("{left_out}{}\n{COUNTS}", told.lines.join("\n")))
    };
    messages(talk, how, tell).unwrap()
}

fn bytes(messages: &[Message]) -> u64 {
    let request =
        pb_llm::ChatRequest { messages: messages.to_vec(), tools: Vec::new(), output_tokens_max: 1 };
    estimate::request_bytes(&request)
}

fn size(talk: &Talk, how: Condensed) -> u64 {
    bytes(&sent(talk, how))
}

/// One line a message, without the middle of long ones.
fn shown(messages: &[Message]) -> String {
    let short = |text: &str| text.replace(&"文".repeat(100), "[100 文]").replace(&"a".repeat(50), "[50 a]");
    let line = |message: &Message| match message {
        Message::System { text } => format!("[system] {text}"),
        Message::User { text } => format!("[user] {text}"),
        Message::Assistant(said) => {
            let calls: Vec<&str> = said.calls.iter().map(|call| call.id.as_str()).collect();
            format!("[assistant] {} {}", said.text, calls.join(" "))
        }
        Message::Tool { call_id, content, .. } => format!("[tool {call_id}] {content}"),
    };
    messages.iter().map(|message| short(&line(message))).collect::<Vec<_>>().join("\n")
}

fn seven() -> Talk {
    let turn = |words, calls: &[(usize, usize)]| (words, calls.to_vec());
    talk(&[
        turn(0, &[(50, 100), (0, 0)]),
        turn(3, &[(0, 200)]),
        turn(2, &[]),
        turn(0, &[(0, 100)]),
        turn(0, &[(0, 100)]),
        turn(0, &[(0, 100)]),
        turn(1, &[(0, 1000), (0, 1)]),
    ])
}

#[test]
fn results_are_one_line_and_so_is_what_stands_for_them() {
    insta::assert_snapshot!(shown(&sent(&seven(), Condensed { results_until: 5, ..Condensed::default() })), @r#"
    [system] the system's text
    [user] the task
    [assistant]  1.0 1.1
    [tool 1.0] [left out to make room: read_file {"path":"1/[50 a]"}: done, 316 bytes]
    [tool 1.1] [left out to make room: read_file {"path":"1/"}: done, 16 bytes]
    [assistant] 言言言 4.0
    [tool 4.0] [left out to make room: read_file {"path":"4/"}: failed, 616 bytes]
    [assistant] 言言 
    [user] call a tool
    [assistant]  7.0
    [tool 7.0] <tool_result tool="read_file" trust="none">
    8:[100 文]<\/tool_result>
    </tool_result>
    [assistant]  9.0
    [tool 9.0] <tool_result tool="read_file" trust="none">
    10:[100 文]<\/tool_result>
    </tool_result>
    [assistant]  11.0
    [tool 11.0] <tool_result tool="read_file" trust="none">
    12:[100 文]<\/tool_result>
    </tool_result>
    [assistant] 言 13.0 13.1
    [tool 13.0] <tool_result tool="read_file" trust="none">
    14:[100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文]<\/tool_result>
    </tool_result>
    [tool 13.1] <tool_result tool="read_file" trust="none">
    15:文<\/tool_result>
    </tool_result>
    "#);
}

#[test]
fn turns_are_one_line_a_call_and_what_still_counts_comes_after_them() {
    let how = Condensed { results_until: 8, turns_until: 5, ..Condensed::default() };
    insta::assert_snapshot!(shown(&sent(&seven(), how)), @r#"
    [system] the system's text
    [user] the task

    - read_file {"path":"1/[50 a]"}: done, 316 bytes
    - read_file {"path":"1/"}: done, 16 bytes
    - you said: 言言言
    - read_file {"path":"4/"}: failed, 616 bytes
    what still counts
    [assistant] 言言 
    [user] call a tool
    [assistant]  7.0
    [tool 7.0] [left out to make room: read_file {"path":"7/"}: done, 316 bytes]
    [assistant]  9.0
    [tool 9.0] <tool_result tool="read_file" trust="none">
    10:[100 文]<\/tool_result>
    </tool_result>
    [assistant]  11.0
    [tool 11.0] <tool_result tool="read_file" trust="none">
    12:[100 文]<\/tool_result>
    </tool_result>
    [assistant] 言 13.0 13.1
    [tool 13.0] <tool_result tool="read_file" trust="none">
    14:[100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文][100 文]<\/tool_result>
    </tool_result>
    [tool 13.1] <tool_result tool="read_file" trust="none">
    15:文<\/tool_result>
    </tool_result>
    "#);
}

#[test]
fn the_last_result_is_cut_if_it_must_be() {
    let how = Condensed { results_until: 12, turns_until: 12, cut_until: 15, cut_bytes: 512 };
    insta::assert_snapshot!(shown(&sent(&seven(), how)), @r#"
    [system] the system's text
    [user] the task

    - read_file {"path":"1/[50 a]"}: done, 316 bytes
    - read_file {"path":"1/"}: done, 16 bytes
    - you said: 言言言
    - read_file {"path":"4/"}: failed, 616 bytes
    - you said: 言言
    - read_file {"path":"7/"}: done, 316 bytes
    - read_file {"path":"9/"}: failed, 317 bytes
    - read_file {"path":"11/"}: done, 317 bytes
    what still counts
    [assistant] 言 13.0 13.1
    [tool 13.0] <tool_result tool="read_file" trust="none">
    14:[100 文]文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文文
    </tool_result>
    [2565 bytes of this are left out to make room: ask for less at a time]
    [tool 13.1] <tool_result tool="read_file" trust="none">
    15:文<\/tool_result>
    </tool_result>
    "#);
}

#[test]
fn nothing_changes_before_it_must_and_then_for_a_while() {
    let long = |turns: usize| talk(&vec![(0, vec![(10, 1_000)]); turns]);
    let limit = size(&long(20), Condensed::default());
    let fitted = |turns: usize, now| fit(&long(turns), now, limit, |how| size(&long(turns), how));
    assert_eq!(fitted(20, Condensed::default()), Ok(None));
    let first = fitted(21, Condensed::default()).unwrap().unwrap();
    assert_eq!((first.turns_until, first.cut_until), (0, 0), "results first: {first:?}");
    assert!(size(&long(21), first) <= limit / 2);
    // What was sent stays as it was, and so is of use to who keeps it.
    let before = sent(&long(21), first);
    assert_eq!(sent(&long(22), first)[..before.len()], before);
    let again = (22..100).find(|turns| fitted(*turns, first) != Ok(None)).unwrap();
    assert!(again > 28, "again at {again} turns");
    let second = fitted(again, first).unwrap().unwrap();
    assert!(second.results_until > first.results_until);
}

#[test]
fn what_fits_no_way_says_how_long_it_is() {
    let short = talk(&[(0, vec![(10_000, 10)])]);
    let least = fit(&short, Condensed::default(), 5_000, |how| size(&short, how)).unwrap_err();
    assert!((10_000..11_000).contains(&least), "{least}");
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let call = (0..200_usize, prop_oneof![0..50_usize, 0..5_000_usize, 0..12_000_usize]);
    prop::collection::vec((0..60_usize, prop::collection::vec(call, 0..4)), 1..16)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// What is chosen fits, keeps calls and results together, and keeps what is pinned; it is never undone.
    #[test]
    fn every_conversation_is_made_to_fit(turns in turns(), limit in 3_000..200_000_u64) {
        let mut now = Condensed::default();
        for end in 1..=turns.len() {
            let talk = talk(&turns[..end]);
            let measure = |how| size(&talk, how);
            match fit(&talk, now, limit, measure) {
                Ok(None) => prop_assert!(measure(now) <= limit),
                Ok(Some(how)) => {
                    prop_assert!(measure(how) <= limit);
                    prop_assert!(how.turns_until >= now.turns_until && how.results_until >= now.results_until);
                    now = how;
                }
                // The last answer alone may be longer; it is never left out.
                Err(least) => {
                    prop_assert!(least > limit);
                    break;
                }
            }
            assert_well_formed(&talk, now);
        }
    }
}

fn assert_well_formed(talk: &Talk, how: Condensed) {
    let sent = sent(talk, how);
    let is_system = |message: &Message| matches!(message, Message::System { .. });
    assert_eq!(sent.iter().position(is_system), Some(0));
    let Some(Message::User { text }) = sent.get(1) else { panic!("no task: {sent:?}") };
    assert!(text.starts_with("the task"));
    if how.turns_until > 0 {
        assert!(text.contains(COUNTS));
        let pairs = sent.windows(2).filter(|pair| pair.iter().all(|one| matches!(one, Message::User { .. })));
        assert_eq!(pairs.count(), 0, "two in a row are from the user");
    }
    // After each answer come the results of exactly its calls, in order, and nothing else has any.
    let mut open: Vec<String> = Vec::new();
    for message in &sent {
        match message {
            Message::Tool { call_id, content, .. } => {
                assert_eq!(open.first(), Some(call_id));
                open.remove(0);
                assert!(content.matches("</tool_result").count() <= 1, "{content}");
            }
            Message::Assistant(said) => {
                assert!(open.is_empty());
                open = said.calls.iter().map(|call| call.id.clone()).collect();
            }
            Message::System { .. } | Message::User { .. } => assert!(open.is_empty()),
        }
    }
    assert!(open.is_empty());
    // The last turn is there as it was said.
    let last = talk.parts.iter().rev().find(|part| matches!(part.message, Message::Assistant(_))).unwrap();
    assert!(sent.contains(&last.message));
}
