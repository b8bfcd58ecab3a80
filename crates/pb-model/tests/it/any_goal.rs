//! Any goal that is valid, with what is hard to write down in every text.

use std::collections::BTreeMap;

use pb_model::goal::{ADDED_ITEMS_MAX, Usd};
use pb_model::spec::{
    AgentSpec, Ask, Check, CommandSpec, CriterionType, Effect, GateCommand, GateHttp, GateSpec, GoalSpec,
    ItemSpec, Lane, SuccessCriterion, TURNS_MAX, Work, input_variable,
};
use pb_model::{Tier, goal_file};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// What looks like something else to TOML, to templates or to a reader of lines.
const PIECES: [&str; 22] = [
    "{{name}}",
    "{{ nothing }}",
    "{{nothing_2}}",
    "{{.Name}}",
    "{{",
    "}}",
    "{",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "'",
    "'''",
    "\"",
    "\"\"\"",
    "\\",
    "\\u0041",
    "# ",
    "中文",
    "\u{7f}\u{1b}[31m",
    "\u{85}\u{2028}\u{feff}🐇",
];

fn text() -> BoxedStrategy<String> {
    let piece = prop_oneof![4 => select(&PIECES[..]).prop_map(str::to_owned), 1 => ".{0,8}", 1 => any::<char>().prop_map(String::from)];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat()).boxed()
}

fn without_nul() -> BoxedStrategy<String> {
    text().prop_map(|text| text.replace('\0', "")).boxed()
}

fn filled() -> BoxedStrategy<String> {
    without_nul().prop_map(|text| format!("x{text}")).boxed()
}

/// On one line.
fn label() -> BoxedStrategy<String> {
    filled().prop_map(|text| text.replace(char::is_control, "").chars().take(60).collect()).boxed()
}

fn relative() -> BoxedStrategy<String> {
    let folder = filled().prop_map(|text| text.replace('/', ""));
    vec(folder, 1..3).prop_map(|folders| folders.join("/")).boxed()
}

fn argv() -> BoxedStrategy<Vec<String>> {
    (filled(), vec(without_nul(), 0..4)).prop_map(|(program, rest)| [vec![program], rest].concat()).boxed()
}

fn env() -> BoxedStrategy<BTreeMap<String, String>> {
    btree_map(filled().prop_map(|name| name.replace('=', "")), without_nul(), 0..3).boxed()
}

fn time_limit() -> BoxedStrategy<Option<u64>> {
    of(prop_oneof![1..=86_400_u64, (1..=1_440_u64).prop_map(|m| m * 60), (1..=24_u64).prop_map(|h| h * 3600)])
        .boxed()
}

fn effect() -> BoxedStrategy<Effect> {
    select(vec![Effect::Pure, Effect::Idempotent, Effect::Unsafe]).boxed()
}

fn check() -> BoxedStrategy<Check> {
    let regex = prop_oneof![
        text().prop_map(|text| regex::escape(&text)),
        select(vec![r"^\d+\s*$", "[{{name}}]", "(?x) a # {{name}}\n b", "[^}{{ nothing }}]{2}"])
            .prop_map(str::to_owned),
    ];
    let command = (argv(), of(relative()), env(), 0..=255, time_limit(), control()).prop_map(
        |(argv, cwd, env, expect_exit, time_limit_s, control)| {
            Check::Command(GateCommand { argv, cwd, env, expect_exit, time_limit_s, control })
        },
    );
    let regex = regex.boxed();
    prop_oneof![
        command,
        relative().prop_map(|path| Check::FileExists { path }),
        relative().prop_map(|path| Check::FileUnchanged { path }),
        (relative(), pattern(&regex)).prop_map(|(path, (text, regex))| Check::FileContains {
            path,
            text,
            regex
        }),
        (of(argv()), 1..=u64::MAX, time_limit(), control()).prop_map(|(argv, min, time_limit_s, control)| {
            Check::TestsExecuted { argv, min, time_limit_s, control }
        }),
        (relative(), schema()).prop_map(|(path, schema)| Check::JsonSchema {
            path,
            schema: Some(schema),
            schema_path: None
        }),
        (relative(), relative()).prop_map(|(path, schema)| Check::JsonSchema {
            path,
            schema: None,
            schema_path: Some(schema)
        }),
        http(&regex),
        (globs(1), of(any::<u32>())).prop_map(|(paths, max_files)| Check::ChangesWithin { paths, max_files }),
        (globs(1), pattern(&regex)).prop_map(|(paths, (text, regex))| Check::FilesLack {
            paths,
            text,
            regex
        }),
    ]
    .boxed()
}

/// A text, or else a regular expression.
fn pattern(regex: &BoxedStrategy<String>) -> BoxedStrategy<(Option<String>, Option<String>)> {
    prop_oneof![
        filled().prop_map(|text| (Some(text), None)),
        regex.clone().prop_map(|regex| (None, Some(regex))),
    ]
    .boxed()
}

fn control() -> BoxedStrategy<Vec<String>> {
    prop_oneof![Just(Vec::new()), argv().prop_map(|argv| [vec!["control".to_owned()], argv].concat())].boxed()
}

fn globs(least: usize) -> BoxedStrategy<Vec<String>> {
    let glob = select(vec!["src/**", "*.{md,txt}", "{{name}}", "文档/*", "[!a]", "a'\"b"]);
    vec(glob.prop_map(str::to_owned), least..4).boxed()
}

fn http(regex: &BoxedStrategy<String>) -> BoxedStrategy<Check> {
    let url = select(vec!["http://localhost:8000/文?a={{b}}", "http://[::1]:9", "http://127.0.0.1/"]);
    (url, 200..=599_u16, of(pattern(regex)), of(argv()), time_limit())
        .prop_map(|(url, status, pattern, argv, time_limit_s)| {
            let (text, regex) = pattern.unwrap_or_default();
            Check::Http(GateHttp { url: url.to_owned(), status, text, regex, argv, time_limit_s })
        })
        .boxed()
}

fn schema() -> BoxedStrategy<Map<String, Value>> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let value = value.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    (text(), value)
        .prop_map(|(title, value)| {
            Map::from_iter([("title".to_owned(), title.into()), ("const".to_owned(), value)])
        })
        .boxed()
}

fn gates() -> BoxedStrategy<Vec<GateSpec>> {
    let gate = (of(label()), any::<bool>(), globs(0), any::<bool>(), check()).prop_map(
        |(name, required, judges, may_change, check)| GateSpec { name, required, judges, may_change, check },
    );
    vec(gate, 0..4).boxed()
}

fn work() -> BoxedStrategy<Work> {
    let command = (argv(), of(relative()), env(), time_limit(), effect(), vec(1..=u16::MAX, 0..30)).prop_map(
        |(argv, cwd, env, time_limit_s, effect, tcp_ports)| {
            Work::Command(CommandSpec { argv, cwd, env, time_limit_s, effect, tcp_ports })
        },
    );
    let agent = (
        text().prop_map(|text| format!("中{text}")),
        vec(label(), 0..3),
        select(Tier::ALL.to_vec()),
        of(label()),
        effect(),
        of(1..=TURNS_MAX),
        (
            of(1..=100_u8),
            of(1..=u64::MAX),
            of(1..=1_000_000_000_u64),
            any::<bool>(),
            time_limit(),
            (vec(label(), 0..2), any::<bool>()),
        ),
    )
        .prop_map(|(prompt, tools, tier, model, effect, max_turns, rest)| {
            let (budget_percent, budget_tokens, budget_usd, guards, time_limit_s, approve) = rest;
            let (approve, may_add_items) = approve;
            let budget_usd = budget_usd.map(Usd);
            Work::Agent(AgentSpec {
                prompt,
                tools,
                tier,
                model,
                effect,
                max_turns,
                time_limit_s,
                budget_percent,
                budget_tokens,
                budget_usd,
                guards,
                approve,
                may_add_items,
            })
        });
    prop_oneof![command, agent].boxed()
}

fn items() -> BoxedStrategy<Vec<ItemSpec>> {
    let item = (
        "[a-z中_.-]{0,6}",
        of(label()),
        text(),
        any::<u8>(),
        select(Lane::ALL.to_vec()),
        of(0..=10_u32),
        work(),
        gates(),
    );
    vec(item, 0..5)
        .prop_map(|drawn| {
            let keys: Vec<String> =
                drawn.iter().enumerate().map(|(n, item)| format!("{}{n}", item.0)).collect();
            let item = |(n, item): (usize, (_, _, _, u8, _, _, Work, Vec<GateSpec>))| {
                let (_, title, description, bits, lane, max_retries, work, mut gates) = item;
                if matches!(work, Work::Agent(_)) {
                    // An agent has no output in which tests could be counted.
                    gates.retain(|gate| !matches!(gate.check, Check::TestsExecuted { argv: None, .. }));
                }
                let needs = (0..n).filter(|other| bits >> other & 1 == 1).map(|n| keys[n].clone()).collect();
                ItemSpec { id: keys[n].clone(), title, description, needs, lane, max_retries, work, gates }
            };
            drawn.into_iter().enumerate().map(item).collect()
        })
        .boxed()
}

fn inputs() -> BoxedStrategy<BTreeMap<String, String>> {
    let name = prop_oneof![
        select(vec!["name", "nothing", "Nothing", "nothing_2", "nothing-3"]).prop_map(str::to_owned),
        "[A-Za-z_][A-Za-z0-9_-]{0,5}",
    ];
    let value = prop_oneof![Just(String::new()), without_nul()];
    btree_map(name, value, 0..5)
        .prop_map(|inputs| {
            let mut variables = std::collections::BTreeSet::new();
            inputs.into_iter().filter(|(name, _)| variables.insert(input_variable(name))).collect()
        })
        .boxed()
}

fn criteria() -> BoxedStrategy<Vec<SuccessCriterion>> {
    let kinds = vec![CriterionType::Deterministic, CriterionType::Heuristic];
    let whole =
        (filled(), select(kinds), text(), any::<bool>()).prop_map(|(description, kind, method, required)| {
            SuccessCriterion { description, criterion_type: kind, verification_method: method, required }
        });
    let plain = filled().prop_map(|description| SuccessCriterion {
        description,
        verification_method: String::new(),
        ..SuccessCriterion::of_a_goal_without()
    });
    prop_oneof![vec(whole, 0..3), vec(plain, 0..3), Just(vec![SuccessCriterion::of_a_goal_without()])].boxed()
}

/// A valid goal, whose workspace is written without detours.
pub(crate) fn any_goal() -> BoxedStrategy<GoalSpec> {
    let words = (label(), of(text()), of(relative()), of(label()), vec(label(), 0..4), 0..=100_u8);
    let cost = proptest::num::f64::POSITIVE | proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL;
    let budget = (of(1..=u64::MAX), of(1..=u64::MAX), of(prop_oneof![cost, Just(5.0)]), of(1..=u32::MAX));
    let more = (of(1..=u64::MAX), of(prop_oneof![cost, Just(0.25)]), of(0..=253_402_300_799_999_u64));
    let asking = (select(Ask::ALL.to_vec()), of(1..=10_u32), time_limit(), vec(label(), 0..2), any::<bool>());
    let asking = (asking, of(0..=ADDED_ITEMS_MAX));
    (words, (budget, more, asking), criteria(), inputs(), items())
        .prop_map(|(words, (budget, more, asking), success_criteria, inputs, items)| {
            let ((ask, max_questions, answer_within_s, approve, approve_plan), max_added_items) = asking;
            let (title, description, workspace, model, tags, priority) = words;
            let (budget_tokens, budget_time_minutes, budget_cost_usd, budget_turns) = budget;
            let (budget_call_tokens, budget_call_usd, deadline_ms) = more;
            GoalSpec {
                description: description.unwrap_or_else(|| title.clone()),
                title,
                success_criteria,
                priority,
                budget_tokens,
                budget_time_minutes,
                budget_cost_usd,
                budget_turns,
                budget_call_tokens,
                budget_call_usd,
                deadline_ms,
                model,
                plan_only: false,
                ask,
                max_questions,
                answer_within_s,
                approve,
                approve_plan,
                max_added_items,
                tags,
                workspace: workspace.map(|path| format!("/{path}")),
                inputs,
                items,
            }
        })
        .prop_filter("valid", |spec| goal_file::spec_problems(spec).is_empty())
        .boxed()
}
