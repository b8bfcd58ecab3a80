//! A tour of every place of the console, light and dark: what axe finds, what the keyboard reaches, what it looks like.

use std::path::PathBuf;

use pb_runtime::environment;
use serde_json::{Value, json};

use super::page::Page;
use super::scene::Scene;
use super::{LIVE, addresses};

/// The folder that `cargo xtask console --images` wants pictures in.
const IMAGES: &str = "PB_TEST_IMAGES";

/// What the worker said in the conversation.
const SAID: &str = "li.assistant:not(.thinking)";

/// Each place: its name, what follows `#/`, and what can be seen once all of it is there.
fn places(goal: &str, talk: &str) -> Vec<(&'static str, String, &'static str)> {
    let of_goal = |view: &str| format!("goal/{goal}/{view}");
    vec![
        ("now", "now".to_owned(), ".goal"),
        ("inbox", "inbox".to_owned(), "article[data-settled=true]"),
        ("new", "new".to_owned(), "textarea"),
        ("chat", talk.to_owned(), SAID),
        ("history", "history".to_owned(), "li:has-text('Publish the crate')"),
        ("schedules", "schedules".to_owned(), "code"),
        ("schedule", "schedules/new".to_owned(), "fieldset"),
        ("system", "system".to_owned(), "dl, table"),
        ("goal", of_goal("work"), "g.node.done"),
        ("proof", of_goal("proof"), "details.card"),
        ("files", of_goal("files"), "span.more"),
        ("cost", of_goal("cost"), "tr.sum"),
        ("trace", of_goal("trace"), "[role=treeitem]"),
        ("replay", of_goal("replay"), "[data-seq]"),
    ]
}

/// Opens the console on the scene, and begins a conversation; its place.
fn arrive(page: &mut Page, url: &str) -> String {
    page.open(url);
    page.sees(LIVE);
    page.press("g");
    page.press("c");
    page.does(&json!(["fill", "textarea", "现在怎么样？"]));
    page.press("Enter");
    page.sees(SAID);
    let url = page.does(&json!(["url"]));
    url.as_str().unwrap().rsplit_once("#/").unwrap().1.to_owned()
}

#[test]
fn every_place_is_for_everybody_light_and_dark() {
    let scene = Scene::new();
    let (origin, url) = addresses(&scene.scripted.env);
    let Some(mut page) = Page::new(&scene.scripted.env) else { return };
    let images = environment::path(IMAGES);
    let talk = arrive(&mut page, &url);
    let mut grave = Vec::new();
    for scheme in ["light", "dark"] {
        page.does(&json!(["scheme", scheme]));
        for (name, place, there) in places(&scene.delivered, &talk) {
            page.open(&format!("{origin}/#/{place}"));
            page.sees(there);
            let found = page.does(&json!(["axe"]));
            if found != json!([]) {
                grave.push(format!("{name}, {scheme}: {found:#}"));
            }
            if let Some(folder) = &images {
                let file: PathBuf = folder.join(format!("{name}-{scheme}.png"));
                page.does(&json!(["shot", file]));
            }
        }
    }
    assert!(grave.is_empty(), "{}", grave.join("\n"));
    page.is_well(&origin);
}

#[test]
fn nothing_is_wider_than_a_small_telephone() {
    let scene = Scene::new();
    let (origin, url) = addresses(&scene.scripted.env);
    let Some(mut page) = Page::of_width(&scene.scripted.env, 360) else { return };
    let talk = arrive(&mut page, &url);
    for (name, place, there) in places(&scene.delivered, &talk) {
        page.open(&format!("{origin}/#/{place}"));
        page.sees(there);
        assert_eq!(page.does(&json!(["wider"])), 0, "{name}");
    }
    page.is_well(&origin);
}

/// With the key Tab alone, everything that does something is reached, and one sees where one is.
#[test]
fn everything_is_reached_by_keyboard() {
    let scene = Scene::new();
    let (origin, url) = addresses(&scene.scripted.env);
    let Some(mut page) = Page::new(&scene.scripted.env) else { return };
    let talk = arrive(&mut page, &url);
    for (name, place, there) in places(&scene.delivered, &talk) {
        page.open(&format!("{origin}/#/{place}"));
        page.sees(there);
        let told = page.does(&json!(["tabs"]));
        assert_eq!((&told["missed"], &told["unseen"]), (&json!([]), &json!([])), "{name}: {told:#}");
        assert!(told["reached"].as_array().map(Vec::len) > Some(5), "{name}: {told:#}");
    }
    page.is_well(&origin);
}

/// A goal from the first word to its proof, and an answer on the way, without a mouse.
#[test]
fn a_goal_is_asked_for_answered_and_looked_at_by_keyboard_alone() {
    let scene = Scene::new();
    let env = &scene.scripted.env;
    let (origin, url) = addresses(env);
    let Some(mut page) = Page::new(env) else { return };
    page.open(&url);
    page.sees(LIVE);
    page.press("g");
    page.press("g");
    page.does(&json!(["tabTo", "textarea"]));
    page.does(&json!(["type", "Write the release notes of 2.0"]));
    page.press("Control+Enter");
    page.sees("h1:has-text('Write the release notes of 2.0')");
    page.sees(".facts .status.good");
    page.does(&json!(["tabTo", "nav.tabs a[href$=proof]"]));
    page.press("Enter");
    page.sees("details.card .good");
    page.press("g");
    page.press("i");
    page.sees("article[data-settled=true]");
    page.does(&json!(["tabTo", "button:has-text('Deny')"]));
    page.press("Enter");
    page.sees("text=Nothing waits for you");
    let told: Value = env.json(["inbox", "--json"]);
    assert_eq!(told["total"], 0, "{told}");
    page.is_well(&origin);
}
