//! The contract: every test here runs on a SQLite file and in memory (later on PostgreSQL), and
//! may not tell them apart.

mod access;
mod commands;
mod compact;
mod fencing;
mod inbox;
mod log;
pub(crate) mod rows;
mod schedules;
mod sessions;
mod worker;

/// Makes each of the functions a test on every backend.
macro_rules! store_contract {
    ($($module:ident: $($name:ident),+;)+) => {
        mod file {
            $($(
                #[tokio::test]
                async fn $name() {
                    super::$module::$name(crate::support::Place::file()).await;
                }
            )+)+
        }
        mod memory {
            $($(
                #[tokio::test]
                async fn $name() {
                    super::$module::$name(crate::support::Place::memory()).await;
                }
            )+)+
        }
    };
}

store_contract! {
    log:
        positions_have_no_gaps,
        commits_at_once_have_no_gaps,
        a_batch_is_whole_or_not_at_all,
        pages_are_bounded,
        a_page_ends_before_a_mebibyte,
        a_position_beyond_every_event_has_no_page,
        the_newest_of_a_kind_are_found_in_their_order,
        each_opening_is_a_new_incarnation,
        a_cursor_is_of_its_log;
    compact:
        an_ended_goal_is_compacted_in_parts,
        heavy_events_make_smaller_parts,
        a_goal_that_has_not_ended_is_never_compacted,
        a_goal_that_went_on_is_not_compacted_behind_an_old_snapshot,
        the_oldest_are_due_first;
    fencing:
        a_later_epoch_keeps_its_run,
        a_step_needs_the_epoch_that_holds_its_run,
        a_step_begins_once_in_an_epoch,
        a_result_is_recorded_once,
        the_journal_is_in_order;
    rows:
        a_goal_reads_back_as_it_was_decided,
        a_row_written_again_keeps_its_place,
        goals_are_paged_ordered_and_filtered,
        open_goals_are_those_that_have_not_ended,
        questions_are_open_until_they_are_answered_or_their_goal_has_ended,
        costs_are_told_of_goals_that_had_some;
    schedules:
        a_schedule_reads_back_as_it_was_decided,
        schedules_are_paged_and_removed_ones_are_left_out;
    sessions:
        a_session_reads_back_as_it_was_decided,
        sessions_are_paged_and_ended_ones_are_left_out,
        costs_are_told_of_sessions_that_had_some;
    commands:
        a_result_is_kept_once,
        old_results_are_forgotten,
        inbox_read_moves_only_forward,
        inbox_read_moves_with_its_batch;
    access:
        a_token_is_kept_once_and_ended_once,
        a_key_is_bound_to_one_token_and_a_token_to_one_key,
        tokens_that_ended_long_ago_are_forgotten;
    inbox:
        commands_keep_their_order,
        the_same_id_gives_the_first_row,
        a_repeat_in_one_batch_is_a_repeat,
        many_callers_are_all_answered,
        a_caller_that_leaves_takes_nobody_along,
        forgotten_commands_are_gone_and_positions_go_on,
        an_inbox_keeps_its_id;
}
