// How a goal stood at each of its events: asked of the gateway, which folds the history up to there.
import type { Artifact, Escalation, Goal, GoalAtResult, Run, WorkItem } from 'rpc';
import { feed } from '../lib/api.svelte.ts';
import type { Line } from '../lib/goal-view.svelte.ts';

/** Moments that are kept, so that stepping back asks nothing. */
const KEPT_MAX = 64;

/** The rows of a goal at a moment. */
export interface Moment {
  seq: number;
  goal: Partial<Goal>;
  items: WorkItem[];
  runs: Run[];
  escalations: Escalation[];
  artifacts: Artifact[];
}

/** What one jumps to. */
export type Mark = 'decision' | 'failure' | 'gate';

const DECISIONS = [
  'evaluation.decided', 'escalation.created', 'escalation.resolved', 'approval.requested', 'approval.granted', 'approval.denied', 'goal.replanning',
  'guard.tripped', 'gate.approved', 'budget.exceeded',
];

/** What an event is to who looks for the moments that count. */
export function markOf({ event }: Line): Mark | undefined {
  if (event.event === 'gate.completed') return event.data.gate.passed ? 'gate' : 'failure';
  if (event.event === 'run.completed') return event.data.success ? undefined : 'failure';
  if (event.event.endsWith('.failed')) return 'failure';
  return DECISIONS.includes(event.event) ? 'decision' : undefined;
}

/** Whether one who jumps to `mark` stops at a line: a gate is one whether it passed or not. */
export const stopsAt = (line: Line, mark: Mark) => markOf(line) === mark || (mark === 'gate' && line.event.event === 'gate.completed');

/** The place of the last line that was not after a moment. */
export function placeAt(lines: Line[], at: number): number {
  let [low, high] = [0, lines.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lines[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}

export class Moments {
  #goalId: string;
  #kept = new Map<string, Promise<GoalAtResult>>();

  constructor(goalId: string) {
    this.#goalId = goalId;
  }

  /** How it stood with all events up to this place. */
  async at(lines: Line[], place: number): Promise<Moment> {
    const cursor = lines[place]?.event.cursor ?? '';
    const { artifacts, escalations, workItems, seq, at: _at, cursor: _cursor, ...goal } = await this.#ask(cursor);
    const runs = workItems.flatMap((one) => one.runs);
    return { seq, goal, items: workItems.map((one) => one.workItem), runs: [...planning(lines, place), ...runs], escalations, artifacts };
  }

  #ask(cursor: string): Promise<GoalAtResult> {
    const known = this.#kept.get(cursor);
    if (known) return known;
    const asked = feed.call('goal.at', { goalId: this.#goalId, cursor });
    this.#kept.set(cursor, asked);
    asked.catch(() => this.#kept.delete(cursor));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return asked;
  }
}

/** The runs that are at no item, which `goal.at` leaves out: each stands whole in its last event. */
function planning(lines: Line[], place: number): Run[] {
  const runs = new Map<string, Run>();
  for (const { event } of lines.slice(0, place + 1)) {
    const { run } = event.data as { run?: Run };
    if (run && !run.work_item_id) runs.set(run.id, run);
  }
  return [...runs.values()];
}
