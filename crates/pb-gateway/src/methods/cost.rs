//! `cost.*`.

use std::collections::BTreeMap;

use pb_model::goal::{Amount, CostLine};
use pb_protocol::RpcError;
use pb_protocol::domain::usd;
use pb_protocol::methods::cost::{COST_ROWS_MAX, Cost, CostBy, CostRow, SummaryParams, SummaryResult};
use pb_store::LogReader;

use super::goal;
use crate::hub::Hub;

/// A sum under way: money in whole millionths, for sums of floats are not exact.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    calls: u64,
    amount: Amount,
    assumed: Amount,
    unpriced: bool,
}

impl Sum {
    fn add(&mut self, line: &CostLine) {
        self.calls += u64::from(line.calls);
        self.amount = self.amount.plus(line.amount);
        self.assumed = self.assumed.plus(line.assumed);
        self.unpriced |= line.unpriced;
    }
}

impl From<Sum> for Cost {
    fn from(sum: Sum) -> Self {
        Self {
            calls: sum.calls,
            tokens: sum.amount.tokens,
            cost_usd: usd(sum.amount.micro_usd),
            assumed_tokens: sum.assumed.tokens,
            assumed_cost_usd: usd(sum.assumed.micro_usd),
            unpriced: sum.unpriced,
        }
    }
}

pub(super) async fn summary(hub: &Hub, params: SummaryParams) -> Result<SummaryResult, RpcError> {
    let mut costs = match hub.feed.reader() {
        Some(log) => spenders(&log).await.map_err(RpcError::internal)?,
        None => Vec::new(),
    };
    if let Some(only) = &params.goal_id {
        let only = goal::resolve(hub, only).await?.to_string();
        costs.retain(|cost| cost.id == only);
    }
    Ok(summed(&costs, params.by, params.limit.unwrap_or(COST_ROWS_MAX)))
}

/// What a goal or a conversation has spent.
struct Spender {
    id: String,
    title: String,
    lines: Vec<CostLine>,
}

/// Goals, oldest first, then conversations.
async fn spenders(log: &LogReader) -> Result<Vec<Spender>, pb_store::Error> {
    let goals = log.costs().await?.into_iter();
    let goals = goals.map(|cost| Spender { id: cost.goal.to_string(), title: cost.title, lines: cost.lines });
    let talks = log.session_costs().await?.into_iter();
    let talks = talks.map(|cost| Spender {
        id: cost.session.to_string(),
        title: "(conversation)".to_owned(),
        lines: cost.lines,
    });
    Ok(goals.chain(talks).collect())
}

fn summed(costs: &[Spender], by: CostBy, limit: usize) -> SummaryResult {
    let mut total = Sum::default();
    // Goals come in their order, the others in that of their names.
    let mut rows: BTreeMap<(usize, String), (Option<String>, Sum)> = BTreeMap::new();
    for (place, cost) in costs.iter().enumerate() {
        for line in &cost.lines {
            total.add(line);
            let (key, about) = match by {
                CostBy::Goal => ((place, cost.id.clone()), Some(cost.title.clone())),
                CostBy::Model => ((0, line.model.clone()), None),
                CostBy::Day => {
                    let day = line.day.as_ref();
                    (
                        (0, day.map(|day| day.date.to_string()).unwrap_or_default()),
                        day.map(|day| day.zone.clone()),
                    )
                }
            };
            rows.entry(key).or_insert_with(|| (about, Sum::default())).1.add(line);
        }
    }
    let count = rows.len();
    let before = count.saturating_sub(limit.min(COST_ROWS_MAX));
    let row = |((_, key), (about, sum)): ((usize, String), (Option<String>, Sum))| CostRow {
        key,
        about,
        cost: sum.into(),
    };
    SummaryResult {
        rows: rows.into_iter().skip(before).map(row).collect(),
        total: total.into(),
        count: count as u64,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use pb_model::GoalId;
    use pb_model::goal::LocalDay;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn costs_are_summed_by_what_is_asked_and_exactly() {
        let line = |day: i8, model: &str, micro_usd: u64, unpriced: bool| CostLine {
            day: Some(LocalDay { date: date(2026, 11, day), zone: "Asia/Shanghai".to_owned() }),
            model: model.to_owned(),
            calls: 1,
            turns: 1,
            amount: Amount { tokens: 10, micro_usd },
            assumed: Amount { tokens: u64::from(unpriced), micro_usd: 0 },
            unpriced,
        };
        let goal = |n: u128, lines: Vec<CostLine>| Spender {
            id: GoalId::from(Uuid::from_u128(n)).to_string(),
            title: format!("目标 {n}"),
            lines,
        };
        let costs = [
            goal(9, vec![line(26, "a/b", 100_000, false), line(27, "a/b", 200_000, false)]),
            goal(1, vec![line(27, "c/d", 0, true)]),
        ];
        let told = |by: CostBy, limit: usize| {
            let summed = summed(&costs, by, limit);
            let row = |row: &CostRow| format!("{} {:?} {:?}", row.key, row.about, row.cost);
            let rows: Vec<String> = summed.rows.iter().map(row).collect();
            format!("{}\nof {}: {:?}", rows.join("\n"), summed.count, summed.total)
        };
        insta::assert_snapshot!(told(CostBy::Goal, 9), @r#"
        goal_00000000000000000000000000000009 Some("目标 9") Cost { calls: 2, tokens: 20, cost_usd: 0.3, assumed_tokens: 0, assumed_cost_usd: 0.0, unpriced: false }
        goal_00000000000000000000000000000001 Some("目标 1") Cost { calls: 1, tokens: 10, cost_usd: 0.0, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        of 2: Cost { calls: 3, tokens: 30, cost_usd: 0.3, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        "#);
        insta::assert_snapshot!(told(CostBy::Model, 9), @"
        a/b None Cost { calls: 2, tokens: 20, cost_usd: 0.3, assumed_tokens: 0, assumed_cost_usd: 0.0, unpriced: false }
        c/d None Cost { calls: 1, tokens: 10, cost_usd: 0.0, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        of 2: Cost { calls: 3, tokens: 30, cost_usd: 0.3, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        ");
        insta::assert_snapshot!(told(CostBy::Day, 1), @r#"
        2026-11-27 Some("Asia/Shanghai") Cost { calls: 2, tokens: 20, cost_usd: 0.2, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        of 2: Cost { calls: 3, tokens: 30, cost_usd: 0.3, assumed_tokens: 1, assumed_cost_usd: 0.0, unpriced: true }
        "#);
    }
}
