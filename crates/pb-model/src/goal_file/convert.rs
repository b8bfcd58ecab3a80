//! From a file's form to the domain's, filling templates on the way.

use super::convert_gate::gate;
use super::shape::{Agent, Command, Goal, Item, TimeLimit, Work};
use super::template::Filler;
use crate::goal::Usd;
use crate::spec::{self, AgentSpec, CommandSpec, GoalSpec, ItemSpec, PRIORITY_DEFAULT, SuccessCriterion};

/// The goal with its templates filled. Its inputs are left empty and its workspace as written.
pub(super) fn goal(goal: &Goal, filler: &mut Filler) -> GoalSpec {
    let title = filler.text(&goal.title);
    GoalSpec {
        description: filler.optional(goal.description.as_ref()).unwrap_or_else(|| title.clone()),
        title,
        success_criteria: goal
            .success_criteria
            .iter()
            .map(|criterion| SuccessCriterion {
                description: filler.text(&criterion.description),
                criterion_type: criterion.kind,
                verification_method: filler.text(&criterion.verification_method),
                required: criterion.required.unwrap_or(true),
            })
            .collect(),
        priority: goal.priority.unwrap_or(PRIORITY_DEFAULT),
        budget_tokens: goal.budget.tokens,
        budget_time_minutes: goal.budget.time_minutes,
        budget_cost_usd: goal.budget.cost_usd,
        budget_turns: goal.budget.turns,
        budget_call_tokens: goal.budget.call_tokens,
        budget_call_usd: goal.budget.call_usd,
        deadline_ms: goal.deadline_ms,
        model: goal.model.clone(),
        plan_only: false,
        ask: goal.ask,
        max_questions: goal.max_questions,
        answer_within_s: seconds(goal.answer_within),
        approve: goal.approve.clone(),
        approve_plan: goal.approve_plan,
        max_added_items: goal.max_added_items,
        tags: goal.tags.clone(),
        workspace: filler.optional(goal.workspace.as_ref()),
        inputs: std::collections::BTreeMap::new(),
        items: goal.items.iter().map(|one| item(one, filler)).collect(),
    }
}

fn item(item: &Item, filler: &mut Filler) -> ItemSpec {
    ItemSpec {
        id: item.id.clone(),
        title: filler.optional(item.title.as_ref()),
        description: filler.text(&item.description),
        needs: item.needs.clone(),
        lane: item.lane,
        max_retries: item.max_retries,
        work: match &item.work {
            Work::Command(one) => spec::Work::Command(command(one, filler)),
            Work::Agent(one) => spec::Work::Agent(agent(one, filler)),
        },
        gates: item.gates.iter().map(|one| gate(one, filler)).collect(),
    }
}

fn command(command: &Command, filler: &mut Filler) -> CommandSpec {
    CommandSpec {
        argv: filler.texts(&command.argv),
        cwd: filler.optional(command.cwd.as_ref()),
        env: filler.map(&command.env),
        time_limit_s: seconds(command.time_limit),
        effect: command.effect,
        tcp_ports: command.tcp_ports.clone(),
    }
}

fn agent(agent: &Agent, filler: &mut Filler) -> AgentSpec {
    AgentSpec {
        prompt: filler.text(&agent.prompt),
        tools: agent.tools.clone(),
        tier: agent.tier,
        model: agent.model.clone(),
        effect: agent.effect,
        max_turns: agent.max_turns,
        time_limit_s: seconds(agent.time_limit),
        budget_percent: agent.budget_percent,
        budget_tokens: agent.budget_tokens,
        budget_usd: agent.budget_usd.map(Usd::from),
        guards: agent.guards.unwrap_or(true),
        approve: agent.approve.clone(),
        may_add_items: agent.may_add_items,
    }
}

pub(super) fn seconds(limit: Option<TimeLimit>) -> Option<u64> {
    limit.map(|limit| limit.0)
}
