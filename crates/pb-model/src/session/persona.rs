//! In whose voice a conversation is held.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The persona that is there without a file.
pub const DEFAULT_PERSONA: &str = "pony-default";

/// A voice in which a conversation is held (`wire.md` §4.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Persona {
    /// Its id: the name of its file, without the ending.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is also called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// How it is, each from 0 to 1: warmth, formality, humor, empathy.
    #[serde(default)]
    pub personality: BTreeMap<String, f64>,
    /// How it talks: verbosity, technicalDepth, expressiveness.
    #[serde(default)]
    pub communication_style: BTreeMap<String, String>,
    /// What it is good at.
    #[serde(default)]
    pub expertise: Expertise,
    /// What it has been through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backstory: Option<String>,
    /// The language in which it talks if the person's is not known, as in `zh-CN`.
    pub locale: String,
}

/// What a persona is good at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Expertise {
    /// Its subjects.
    pub primary_domains: Vec<String>,
    /// How sure it is of itself in each skill, from 0 to 1.
    pub skill_confidence: BTreeMap<String, f64>,
}

impl Persona {
    /// The one that is built in.
    pub fn built_in() -> Self {
        let numbers = [("warmth", 0.7), ("formality", 0.3), ("humor", 0.3), ("empathy", 0.7)];
        let words =
            [("verbosity", "concise"), ("technicalDepth", "adaptive"), ("expressiveness", "moderate")];
        Self {
            id: DEFAULT_PERSONA.to_owned(),
            name: "Pony".to_owned(),
            nickname: Some("小马".to_owned()),
            personality: numbers.map(|(name, value)| (name.to_owned(), value)).into(),
            communication_style: words.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            expertise: Expertise::default(),
            backstory: None,
            locale: "zh-CN".to_owned(),
        }
    }

    /// What is wrong with its numbers, in words.
    pub fn problem(&self) -> Option<String> {
        let mut numbers = self.personality.iter().chain(&self.expertise.skill_confidence);
        let (name, value) = numbers.find(|(_, value)| !(0.0..=1.0).contains(*value))?;
        Some(format!("{name} is {value}; give a number from 0 to 1"))
    }
}
