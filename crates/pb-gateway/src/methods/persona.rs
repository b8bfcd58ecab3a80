//! `persona.*`.

use pb_model::session::{DEFAULT_PERSONA, Persona};
use pb_protocol::methods::persona::{DefaultResult, GetParams, ListResult, PersonaRow};

use pb_protocol::{ErrorCode, RpcError};

use crate::hub::Hub;
use crate::personas::{self, Personas};

pub(super) async fn list(hub: &Hub) -> Result<ListResult, RpcError> {
    let Personas { by_id, problems } = read(hub).await?;
    let row = |persona: Persona| PersonaRow {
        id: persona.id,
        name: persona.name,
        nickname: persona.nickname,
        locale: persona.locale,
    };
    Ok(ListResult { personas: by_id.into_values().map(row).collect(), problems })
}

pub(super) async fn get(hub: &Hub, params: GetParams) -> Result<Persona, RpcError> {
    chosen(hub, Some(params.id)).await
}

/// The persona of this id, or the default one.
pub(super) async fn chosen(hub: &Hub, id: Option<String>) -> Result<Persona, RpcError> {
    let id = id.unwrap_or_else(|| DEFAULT_PERSONA.to_owned());
    let mut personas = read(hub).await?;
    personas.by_id.remove(&id).ok_or_else(|| {
        let known: Vec<&str> = personas.by_id.keys().map(String::as_str).collect();
        let hint = match personas.problems.first() {
            Some(problem) => format!("there are: {}; not used: {problem}", known.join(", ")),
            None => format!("there are: {}", known.join(", ")),
        };
        RpcError::new(ErrorCode::InvalidParams, format!("Persona not found: {id}")).hint(hint)
    })
}

pub(super) fn default() -> DefaultResult {
    DefaultResult { persona_id: DEFAULT_PERSONA.to_owned() }
}

async fn read(hub: &Hub) -> Result<Personas, RpcError> {
    let folder = hub.home.personas();
    tokio::task::spawn_blocking(move || personas::read(&folder)).await.map_err(RpcError::internal)
}
