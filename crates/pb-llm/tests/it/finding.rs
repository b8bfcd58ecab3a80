//! Which models are found, and who does the work of a tier.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

use pb_llm::{CallErrorKind, Models, ModelsError, no_model_text};
use pb_model::Tier;
use pb_runtime::Home;
use pb_runtime::config::Config;
use tempfile::TempDir;

use crate::support::{Events, Server, Step, call, status, stream};
use pb_runtime::config::ProviderKind;

struct Setting {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Setting {
    /// No server of this machine is looked for.
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { folder, variables: BTreeMap::new() }.with("PB_LOCAL_MODEL_PORTS", "none")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn home(&self) -> Home {
        Home::at(self.folder.path()).unwrap()
    }

    fn credentials(self, text: &str) -> Self {
        let path = self.home().credentials();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        self
    }

    async fn find(&self, config: &str) -> Result<Models, ModelsError> {
        let home = self.home();
        std::fs::write(home.config(), config).unwrap();
        let config = Config::read(&home.config()).unwrap();
        Models::find(&config, &home, &|name| self.variables.get(name).cloned()).await
    }
}

/// Candidates by tier, and everything that was found.
fn shown(models: &Models) -> String {
    let mut text = String::new();
    for tier in Tier::ALL {
        let candidates = models.candidates(tier, None).unwrap();
        let names: Vec<&str> = candidates.iter().map(|model| model.name()).collect();
        writeln!(text, "{tier}: {}", names.join(" ")).unwrap();
    }
    for model in models.list() {
        let price = model.price.map_or("?".to_owned(), |price| format!("{}/{}", price.input, price.output));
        let tiers: Vec<&str> = model.tiers.iter().map(|tier| tier.as_str()).collect();
        let key = model.key_name.as_deref().unwrap_or("-");
        let missing = if model.key_is_missing { " missing" } else { "" };
        writeln!(text, "{} {price} {} [{}] {key}{missing}", model.name, model.source, tiers.join(" "))
            .unwrap();
    }
    text
}

#[tokio::test]
async fn nothing_is_found() {
    let setting = Setting::new();
    let models = setting.find("").await.unwrap();
    assert!(models.is_empty() && models.list().is_empty() && models.keys().is_empty());
    assert!(models.candidates(Tier::Medium, None).unwrap().is_empty());
    let text = no_model_text(&setting.home()).replace(setting.folder.path().to_str().unwrap(), "HOME");
    insta::assert_snapshot!(text, @r#"
    no model found: there is no ANTHROPIC_API_KEY, OPENAI_API_KEY or GEMINI_API_KEY, and no Ollama, LM Studio, llama-server or vLLM on this machine
    get one: `export ANTHROPIC_API_KEY=...`, or `ollama pull qwen2.5:3b` and `ollama serve`
    or name your own in HOME/config.toml: [providers.NAME] with kind and base_url, and [models] medium = "NAME/MODEL"
    "#);
}

#[tokio::test]
async fn keys_alone_are_enough() {
    let setting = Setting::new()
        .with("OPENAI_API_KEY", "k-openai")
        .with("GOOGLE_API_KEY", "k-google")
        .credentials("[anthropic]\napi_key = 'k-anthropic'\n[openai]\napi_key = 'not this one'\n");
    let models = setting.find("[prices.\"openai/gpt-5\"]\ninput = 1\noutput = 2\n").await.unwrap();
    insta::assert_snapshot!(shown(&models), @"
    simple: anthropic/claude-haiku-4-5 openai/gpt-5-mini gemini/gemini-2.5-flash
    medium: anthropic/claude-sonnet-4-5 openai/gpt-5 gemini/gemini-2.5-flash
    complex: anthropic/claude-opus-4-5 openai/gpt-5 gemini/gemini-2.5-pro
    anthropic/claude-haiku-4-5 1/5 credentials [simple] credentials.toml [anthropic]
    anthropic/claude-sonnet-4-5 3/15 credentials [medium] credentials.toml [anthropic]
    anthropic/claude-opus-4-5 5/25 credentials [complex] credentials.toml [anthropic]
    openai/gpt-5-mini 0.25/2 environment [simple] OPENAI_API_KEY
    openai/gpt-5 1/2 environment [medium complex] OPENAI_API_KEY
    gemini/gemini-2.5-flash 0.3/2.5 environment [simple medium] GOOGLE_API_KEY
    gemini/gemini-2.5-pro 1.25/10 environment [complex] GOOGLE_API_KEY
    ");
    insta::assert_debug_snapshot!(models.keys(), @r#"
    {
        "GOOGLE_API_KEY",
        "OPENAI_API_KEY",
        "credentials.toml [anthropic]",
    }
    "#);
    assert!(!format!("{models:?}").contains("k-"), "{models:?}");
}

#[tokio::test]
async fn the_settings_win() {
    let setting = Setting::new().with("OPENAI_API_KEY", "k").with("OUR_KEY", "ours");
    let models = setting
        .find(
            r#"
            [models]
            simple = "ollama/qwen2.5:3b"
            complex = ["自家/org/大", "anthropic/claude-opus-4-5"]
            [providers."自家"]
            kind = "openai"
            base_url = "https://models.example/v1"
            key_env = "OUR_KEY"
            "#,
        )
        .await
        .unwrap();
    insta::assert_snapshot!(shown(&models), @"
    simple: ollama/qwen2.5:3b
    medium: 自家/org/大 anthropic/claude-opus-4-5
    complex: 自家/org/大 anthropic/claude-opus-4-5
    ollama/qwen2.5:3b 0/0 config [simple] -
    自家/org/大 ? config [medium complex] OUR_KEY
    anthropic/claude-opus-4-5 5/25 config [medium complex] ANTHROPIC_API_KEY missing
    ");
    assert_eq!(Vec::from_iter(models.keys()), ["OPENAI_API_KEY", "OUR_KEY"]);
}

#[tokio::test]
async fn one_model_does_everything() {
    let models = Setting::new().find("[models]\nmedium = 'ollama/a'\n").await.unwrap();
    insta::assert_snapshot!(shown(&models), @"
    simple: ollama/a
    medium: ollama/a
    complex: ollama/a
    ollama/a 0/0 config [simple medium complex] -
    ");
}

#[tokio::test]
async fn servers_on_this_machine_are_found() {
    let list = |names: &str| status("200 OK", "content-type: application/json\r\n", names);
    let one = Server::sends(list(
        r#"{"data":[{"id":"nomic-embed-text"},{"id":"qwen2.5:3b"},{"id":"通义:7b"},{"id":"通义:7b"}]}"#,
    ))
    .await;
    let silent = Server::start(vec![vec![Step::Hang]]).await;
    let page = Server::sends(list("<html>")).await;
    let closed = Server::sends(status("401 Unauthorized", "", "{}")).await;
    let ports = format!(
        "vllm:{},ollama:{},lmstudio:{},llama-server:{}",
        silent.port, one.port, page.port, closed.port
    );
    let setting = Setting::new().with("PB_LOCAL_MODEL_PORTS", &ports);
    let models = setting.find("").await.unwrap();
    insta::assert_snapshot!(shown(&models), @"
    simple: ollama/qwen2.5:3b
    medium: ollama/qwen2.5:3b
    complex: ollama/qwen2.5:3b
    ollama/qwen2.5:3b 0/0 local [simple medium complex] -
    ollama/通义:7b 0/0 local [] -
    ");
    assert!(one.received()[0].head.starts_with("get /v1/models http/1.1"));

    // A hosted one comes first; the settings keep us from looking.
    let setting = setting.with("ANTHROPIC_API_KEY", "k");
    let models = setting.find("").await.unwrap();
    let candidates = models.candidates(Tier::Simple, None).unwrap();
    let names: Vec<&str> = candidates.iter().map(|model| model.name()).collect();
    assert_eq!(names, ["anthropic/claude-haiku-4-5", "ollama/qwen2.5:3b"]);
    setting.find("[models]\nsimple = 'anthropic/x'\n").await.unwrap();
    assert_eq!(one.received().len(), 2);
}

#[tokio::test]
async fn a_model_may_be_asked_for_by_name() {
    let list = r#"{"data":[{"id":"qwen2.5:3b"},{"id":"org/same"}]}"#;
    let server = Server::sends(status("200 OK", "", list)).await;
    let other = Server::sends(status("200 OK", "", r#"{"data":[{"id":"same"}]}"#)).await;
    let ports = format!("ollama:{},vllm:{}", server.port, other.port);
    let setting = Setting::new().with("PB_LOCAL_MODEL_PORTS", &ports).with("ANTHROPIC_API_KEY", "k");
    let models = setting.find("").await.unwrap();
    let ask = |wanted: &str| match models.candidates(Tier::Simple, Some(wanted)) {
        Ok(candidates) => {
            candidates.iter().map(|model| model.name().to_owned()).collect::<Vec<_>>().join(" ")
        }
        Err(error) => error.to_string(),
    };
    for (wanted, expect) in [
        ("ollama/qwen2.5:3b", "ollama/qwen2.5:3b"),
        ("qwen2.5:3b", "ollama/qwen2.5:3b"),
        ("claude-opus-4-5", "anthropic/claude-opus-4-5"),
        ("anthropic/claude-3-5-haiku", "anthropic/claude-3-5-haiku"),
        ("org/same", "ollama/org/same"),
        ("same", "`same` may be ollama/org/same or vllm/same; name the provider too"),
        ("ollama/qwen2.5:7b", "there is no model `ollama/qwen2.5:7b`; did you mean `ollama/qwen2.5:3b`?"),
        ("5:3b", "there is no model `5:3b`"),
        ("反正没有", "there is no model `反正没有`"),
        ("", "there is no model ``"),
        ("anthropic/", "there is no model `anthropic/`"),
    ] {
        assert_eq!(ask(wanted), expect);
    }
}

#[tokio::test]
async fn what_is_found_can_be_called() {
    let events = Events(ProviderKind::Anthropic);
    let answer = stream(&[events.begin(), events.text("好"), events.stop()].concat());
    let server = Server::sends(answer).await;
    let setting =
        Setting::new().with("ANTHROPIC_API_KEY", " k-1 \n").with("ANTHROPIC_BASE_URL", &server.url());
    let models = setting.find("").await.unwrap();
    let model = models.candidates(Tier::Medium, None).unwrap().remove(0);
    assert_eq!(call(model.as_ref()).await.0.unwrap().said.text, "好");
    let received = server.received().remove(0);
    assert!(received.head.starts_with("post /v1/messages ") && received.head.contains("x-api-key: k-1\r\n"));
    assert_eq!(received.body["model"], "claude-sonnet-4-5");

    // A model that needs a key and has none says so.
    let models = Setting::new().find("[models]\nmedium = 'openai/gpt-5'\n").await.unwrap();
    let model = models.candidates(Tier::Medium, None).unwrap().remove(0);
    let error = call(model.as_ref()).await.0.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unauthorized);
    assert_eq!(
        error.to_string(),
        "openai/gpt-5: there is no key: set OPENAI_API_KEY, or put it into credentials.toml [openai]"
    );
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let setting = Setting::new().with("ODD_KEY", "钥匙");
    for (config, expect) in [
        (
            "[models]\nmedium = 'antropic/x'",
            "the model `antropic/x` in [models] names no provider that is known; there are anthropic, gemini, llama-server, lmstudio, ollama, openai, vllm",
        ),
        (
            "[models]\nmedium = 'claude'",
            "the model `claude` in [models] names no provider that is known; there are anthropic, gemini, llama-server, lmstudio, ollama, openai, vllm",
        ),
        ("[providers.own]\nbase_url = 'http://h'", "[providers.own] has no `kind`"),
        ("[providers.own]\nkind = 'openai'", "[providers.own] has no `base_url`"),
        (
            "[providers.'a b']\nkind = 'openai'",
            "`a b` cannot be the name of a provider: it is empty, or holds a `/` or a space",
        ),
        (
            "[providers.openai]\nbase_url = 'http://me:secret@h/v1'",
            "the base URL `http://…@h/v1` of the provider `openai` is not usable: it holds a user name or a password; name the key's variable in `key_env`",
        ),
        ("[providers.openai]\nkey_env = 'ODD_KEY'", "the key in ODD_KEY holds characters that no key has"),
        (
            "[prices.'a/b']\ninput = -1\noutput = 1",
            "the price of `a/b` is not a number of dollars that is 0 or more",
        ),
    ] {
        assert_eq!(setting.find(config).await.unwrap_err().to_string(), expect);
    }
    let setting = setting.with("PB_LOCAL_MODEL_PORTS", "ollama");
    assert_eq!(
        setting.find("").await.unwrap_err().to_string(),
        "`ollama` in PB_LOCAL_MODEL_PORTS is not name:port; write it like ollama:11434,vllm:8000, or none"
    );
}
