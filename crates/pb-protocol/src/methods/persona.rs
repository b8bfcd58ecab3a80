//! `persona.*`: the voices in which a conversation is held.

use pb_model::session::Persona;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Method, NoParams, Permission};

/// `persona.list`.
#[derive(Debug)]
pub struct List;

impl Method for List {
    const NAME: &'static str = "persona.list";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Lists the personas, and the files of personas that cannot be read";
    type Params = NoParams;
    type Result = ListResult;
}

/// `persona.get`.
#[derive(Debug)]
pub struct Get;

impl Method for Get {
    const NAME: &'static str = "persona.get";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Gives one persona";
    type Params = GetParams;
    type Result = Persona;
}

/// `persona.default`.
#[derive(Debug)]
pub struct Default;

impl Method for Default {
    const NAME: &'static str = "persona.default";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str = "Names the persona of conversations that name none";
    type Params = NoParams;
    type Result = DefaultResult;
}

/// Which persona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParams {
    /// Its id.
    pub id: String,
}

/// The personas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListResult {
    /// Those that can be used, by id.
    pub personas: Vec<PersonaRow>,
    /// Files that are not used, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// A persona, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonaRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is also called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The language in which it talks if the person's is not known, as in `zh-CN`.
    pub locale: String,
}

/// The default persona.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DefaultResult {
    /// Its id.
    #[serde(rename = "personaId")]
    pub persona_id: String,
}
