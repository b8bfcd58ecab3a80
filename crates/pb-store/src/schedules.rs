//! Reading schedules.

use pb_model::ScheduleId;
use pb_model::schedule::Schedule;

use crate::contract::Error;
use crate::log::LogReader;
use crate::sqlite::schedules;

/// Which schedules to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScheduleFilter {
    /// Also those that were removed.
    pub removed: bool,
    /// Only those that come after this one.
    pub after: Option<ScheduleId>,
    /// At most this many.
    pub limit: usize,
    /// After this many.
    pub offset: usize,
}

impl LogReader {
    /// A page of schedules, oldest first, and how many there are in all.
    pub async fn schedules(&self, filter: ScheduleFilter) -> Result<(Vec<Schedule>, u64), Error> {
        self.connection.call(move |connection| schedules::page(connection, filter)).await
    }

    /// Every schedule that is not removed, oldest first.
    pub async fn live_schedules(&self) -> Result<Vec<Schedule>, Error> {
        self.connection.call(|connection| schedules::live(connection)).await
    }

    /// A schedule.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Option<Schedule>, Error> {
        self.connection.call(move |connection| schedules::one(connection, &id.to_string())).await
    }

    /// Ids of schedules that contain `fragment`, at most `limit`.
    pub async fn schedule_ids_like(&self, fragment: &str, limit: usize) -> Result<Vec<String>, Error> {
        let fragment = fragment.to_owned();
        self.connection.call(move |connection| schedules::ids_like(connection, &fragment, limit)).await
    }
}
