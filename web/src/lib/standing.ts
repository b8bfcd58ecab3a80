// How a goal stands, in one word for people: more than its status.
import type { Escalation, Goal, WorkItem } from 'rpc';

/** `isAsked`: whether a person is to answer something of it. */
export function standing(goal: Pick<Goal, 'status' | 'verdict' | 'reason'>, isAsked: boolean): string {
  if (goal.reason === 'paused') return 'paused';
  // A call that waits for a yes leaves its goal active.
  if (goal.status === 'active' && isAsked) return 'asks';
  return goal.status === 'completed' && goal.verdict ? goal.verdict : goal.status;
}

/** The same of an item, whose run waits for the answer to an open question. */
export function standingOf(item: WorkItem, asks: Escalation[]): string {
  const isWorking = item.status === 'in_progress' || item.status === 'verify';
  return isWorking && asks.some((ask) => ask.work_item_id === item.id) ? 'asks' : item.status;
}
