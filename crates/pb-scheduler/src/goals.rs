//! The goals that have not ended, in memory, and what they share: lanes and folders.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use pb_model::goal::{DayBudget, GoalState, GoalStatus, Item, Want, wants};
use pb_model::session::Session;
use pb_model::spec::PRIORITY_MAX;
use pb_model::{GoalId, ItemId, Lane, Millis};
use pb_store::{Error, LogReader};

use crate::day::DayLedger;
use crate::schedules::Schedules;
use crate::session::Sessions;

/// The goals that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Goals {
    states: HashMap<GoalId, GoalState>,
    /// The folder of each goal that writes or is about to.
    claims: HashMap<GoalId, PathBuf>,
    /// The folder of each queued goal, once it was looked at.
    folders: HashMap<GoalId, PathBuf>,
    /// What all goals spend today.
    day: DayLedger,
    /// What is run again and again.
    schedules: Schedules,
    /// What people talk about.
    sessions: Sessions,
}

impl Goals {
    /// No goals, in a time of such budgets.
    pub(crate) fn new(day: DayLedger) -> Self {
        Self { day, ..Self::default() }
    }

    /// What is run again and again.
    pub(crate) fn schedules(&self) -> &Schedules {
        &self.schedules
    }

    /// The same, to be changed.
    pub(crate) fn schedules_mut(&mut self) -> &mut Schedules {
        &mut self.schedules
    }

    /// The conversations that have not ended.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Keeps a session as it stands now; one that has ended is forgotten.
    pub(crate) fn put_session(&mut self, session: Session) {
        self.day.note(session.id.uuid(), &session.spending);
        self.sessions.put(session);
    }

    /// Reads the sessions anew.
    pub(crate) async fn load_sessions(&mut self, log: &LogReader) -> Result<(), Error> {
        self.sessions = Sessions::default();
        for session in log.live_sessions().await? {
            self.put_session(session);
        }
        Ok(())
    }

    /// The budget of today, and what is used of it.
    pub(crate) fn day(&self) -> DayBudget {
        self.day.budget()
    }

    /// Begins another day, if it is one.
    pub(crate) async fn turn_day(&mut self, now: Millis, log: &LogReader) -> Result<(), Error> {
        if self.day.is_over(now) {
            let goals = self.states.values().map(|state| (state.goal.id.uuid(), &state.goal.spending));
            let sessions = self.sessions.iter().map(|session| (session.id.uuid(), &session.spending));
            self.day.begin(now, log, goals.chain(sessions)).await?;
        }
        Ok(())
    }

    pub(crate) fn get(&self, id: GoalId) -> Option<&GoalState> {
        self.states.get(&id)
    }

    /// Keeps a state; one that has ended gives its folder back.
    pub(crate) fn put(&mut self, state: GoalState) {
        let id = state.goal.id;
        match state.goal.status {
            GoalStatus::Queued => {}
            GoalStatus::Active => {
                if let Some(workspace) = &state.goal.workspace {
                    self.claims.insert(id, PathBuf::from(workspace));
                }
            }
            GoalStatus::Blocked | GoalStatus::Completed | GoalStatus::Cancelled | GoalStatus::Failed => {
                self.claims.remove(&id);
                self.folders.remove(&id);
            }
        }
        self.day.note(id.uuid(), &state.goal.spending);
        self.states.insert(id, state);
    }

    /// Forgets a goal: it has ended, or is to be loaded again.
    pub(crate) fn remove(&mut self, id: GoalId) {
        self.states.remove(&id);
        self.claims.remove(&id);
        self.folders.remove(&id);
    }

    /// Every goal's id, highest priority first, then oldest first.
    pub(crate) fn in_order(&self) -> Vec<GoalId> {
        let mut ids: Vec<_> = self.states.values().collect();
        ids.sort_by_key(|state| {
            (
                PRIORITY_MAX - state.goal.spec.priority.min(PRIORITY_MAX),
                state.goal.created_at_ms,
                state.goal.id,
            )
        });
        ids.into_iter().map(|state| state.goal.id).collect()
    }

    /// The item that starts next, if one may: of the goal of the highest priority; of those the one that has
    /// least running in its lane, so that they share it; of those the oldest. A lane that is full holds up
    /// no other.
    pub(crate) fn next_start(&self, limit: impl Fn(Lane) -> usize, now: Millis) -> Option<(GoalId, ItemId)> {
        let mut lanes: BTreeMap<Lane, usize> = BTreeMap::new();
        let mut of_goals: HashMap<(GoalId, Lane), usize> = HashMap::new();
        for (id, lane) in self.states.values().flat_map(lanes_in_use) {
            *lanes.entry(lane).or_default() += 1;
            *of_goals.entry((id, lane)).or_default() += 1;
        }
        let has_room = |lane: Lane| lanes.get(&lane).copied().unwrap_or(0) < limit(lane);
        if !Lane::ALL.into_iter().any(has_room) {
            return None;
        }
        let starts = self.states.values().flat_map(|state| {
            let ready = wants(state, now).into_iter().filter_map(|want| match want {
                Want::Start(item) => state.item(item),
                _ => None,
            });
            ready.map(move |item| (state, item))
        });
        let place = |(state, item): &(&GoalState, &Item)| {
            let goal = &state.goal;
            let running = of_goals.get(&(goal.id, item.lane)).copied().unwrap_or(0);
            let priority = PRIORITY_MAX - goal.spec.priority.min(PRIORITY_MAX);
            (priority, running, goal.created_at_ms, goal.id, item.index)
        };
        let next = starts.filter(|(_, item)| has_room(item.lane)).min_by_key(place);
        next.map(|(state, item)| (state.goal.id, item.id))
    }

    /// Notes which folder a queued goal is to work in.
    pub(crate) fn set_folder(&mut self, id: GoalId, folder: PathBuf) {
        self.folders.insert(id, folder);
    }

    /// The folder of a queued goal, once it was looked at.
    pub(crate) fn folder(&self, id: GoalId) -> Option<&Path> {
        self.folders.get(&id).map(PathBuf::as_path)
    }

    /// Whether the goal has claimed its folder.
    pub(crate) fn has_claimed(&self, id: GoalId) -> bool {
        self.claims.contains_key(&id)
    }

    /// Claims a folder for a goal; else the goal that has it, a parent or a child of it.
    pub(crate) fn claim(&mut self, id: GoalId, folder: &Path) -> Result<(), GoalId> {
        let overlaps = |other: &PathBuf| other.starts_with(folder) || folder.starts_with(other);
        let taken = self.claims.iter().filter(|(other, path)| **other != id && overlaps(path));
        if let Some(other) = taken.map(|(other, _)| *other).min() {
            return Err(other);
        }
        self.claims.insert(id, folder.to_owned());
        Ok(())
    }
}

/// The lane of each run of a goal.
fn lanes_in_use(state: &GoalState) -> impl Iterator<Item = (GoalId, Lane)> {
    let lane = |item| state.item(item).map(|item| (state.goal.id, item.lane));
    state.working().filter_map(move |run| run.item_id.and_then(lane))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::scratch;

    #[test]
    fn one_goal_at_a_time_in_a_folder_its_parents_and_children() {
        let goal = |n: u128| GoalId::from(uuid::Uuid::from_u128(n));
        let mut goals = Goals::default();
        assert_eq!(goals.claim(goal(1), Path::new("/w/a")), Ok(()));
        assert_eq!(goals.claim(goal(1), Path::new("/w/a")), Ok(()), "again is fine");
        assert_eq!(goals.claim(goal(2), Path::new("/w/a/b")), Err(goal(1)));
        assert_eq!(goals.claim(goal(2), Path::new("/w")), Err(goal(1)));
        assert_eq!(
            goals.claim(goal(2), Path::new("/w/ab")),
            Ok(()),
            "a common prefix of the name is no parent"
        );
        goals.remove(goal(1));
        assert_eq!(goals.claim(goal(3), Path::new("/w/a/b")), Ok(()));
    }

    /// A goal with these items: key, lane.
    fn goal(number: u128, priority: u8, items: &[(&str, &str)]) -> GoalState {
        let items = items.iter().map(|(key, lane)| {
            format!("[[items]]\nid = '{key}'\nkind = 'command'\nargv = ['true']\nlane = '{lane}'\n")
        });
        let file = format!("title = 'a'\npriority = {priority}\n{}", items.collect::<String>());
        let mut state = scratch::goal(&file);
        let id = GoalId::from(uuid::Uuid::from_u128(number));
        state.goal.id = id;
        state.goal.created_at_ms = u64::try_from(number).unwrap();
        state.items.iter_mut().for_each(|item| item.goal_id = id);
        state
    }

    /// In which order items of these goals start, with such limits and nothing that ends.
    fn starts(states: Vec<GoalState>, limit: impl Fn(Lane) -> usize) -> String {
        let mut goals = Goals::default();
        for state in states {
            goals.put(state);
        }
        let mut order = Vec::new();
        while let Some((id, item)) = goals.next_start(&limit, 10) {
            let state = goals.get(id).unwrap().clone();
            let key = state.item(item).unwrap().key.clone();
            order.push(format!("{}{key}", id.uuid().as_u128()));
            goals.put(scratch::begun(state, Some(&key)));
        }
        order.join(" ")
    }

    #[test]
    fn goals_of_one_priority_share_a_lane_and_higher_ones_come_first() {
        let many = [("a", "main"), ("b", "main"), ("c", "main"), ("d", "main")];
        let both = || vec![goal(1, 50, &many), goal(2, 50, &many)];
        assert_eq!(starts(both(), |_| 5), "1a 2a 1b 2b 1c");
        let urgent = [both(), vec![goal(3, 90, &many[..3])]].concat();
        assert_eq!(starts(urgent, |_| 5), "3a 3b 3c 1a 2a");
    }

    #[test]
    fn a_lane_that_is_full_holds_up_no_other() {
        let items = [("a", "cron"), ("b", "cron"), ("c", "session"), ("d", "session"), ("e", "main")];
        let limit = |lane: Lane| match lane {
            Lane::Main | Lane::Subagent => 3,
            Lane::Cron | Lane::Session => 1,
        };
        assert_eq!(starts(vec![goal(1, 90, &items), goal(2, 50, &items)], limit), "1a 1c 1e 2e");
    }
}
