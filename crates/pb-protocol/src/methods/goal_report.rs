//! `goal.report`.

use super::goal::GoalIdParams;
use super::{Method, Permission};

/// `goal.report`.
#[derive(Debug)]
pub struct Report;

impl Method for Report {
    const NAME: &'static str = "goal.report";
    const PERMISSIONS: &[Permission] = &[Permission::Read];
    const DOC: &'static str =
        "Reports on a goal: asked, done, proven how, not done, spent, delivered, how to undo it";
    type Params = GoalIdParams;
    type Result = crate::report::Report;
}
