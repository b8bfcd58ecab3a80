//! `GET /api/health`, and what a WebSocket is told first.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use pb_store::TraceReader;
use serde::Serialize;

use super::answer::Refused;
use crate::hub::Hub;

/// How the debug server does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    /// Whether a scheduler is connected to the gateway: whether there is somebody who tells events.
    pub(crate) gateway_connected: bool,
    /// How many debug events are kept.
    pub(crate) event_count: u64,
    /// Now.
    pub(crate) timestamp: u64,
}

impl Status {
    /// How it does now.
    ///
    /// # Errors
    /// The trace cannot be read.
    pub(crate) async fn look(hub: &Hub) -> Result<Self, pb_store::Error> {
        Ok(Self {
            gateway_connected: hub.link.scheduler().is_some(),
            event_count: match TraceReader::open(&hub.home.trace_db()).await? {
                Some(trace) => trace.count().await?,
                None => 0,
            },
            timestamp: hub.clock.now_ms(),
        })
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Health {
    status: &'static str,
    #[serde(flatten)]
    told: Status,
}

pub(super) async fn health(State(hub): State<Arc<Hub>>) -> Result<Json<Health>, Refused> {
    Ok(Json(Health { status: "ok", told: Status::look(&hub).await? }))
}
