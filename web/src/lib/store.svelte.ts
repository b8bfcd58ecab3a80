// What is known of everything: goals, what waits for a person, and what is being done. Fed by one subscription; panels
// that need more ask for it, or follow a goal of their own.
import { SvelteMap } from 'svelte/reactivity';
import type { CostRow, Escalation, EventFrame, Goal, ItemStatus } from 'rpc';
import { feed } from './api.svelte.ts';
import { Touched } from './touched.ts';

/** Most questions that are listed. */
const ASKS_MAX = 500;
/** Goals that are kept on the page; beyond it those that ended are dropped, the oldest first. */
const GOALS_MAX = 2_000;
/** The pause before what could not be read is asked for again, in milliseconds. */
const READ_AGAIN_MS = 5_000;
/** How long the figures of today may lag behind, in milliseconds. */
const COST_AFTER_MS = 1_000;

/** How far the items of a goal are. */
export interface Progress {
  done: number;
  total: number;
}

/** What is being done for a goal, in one line. */
export interface Doing {
  text: string;
  at: number;
}

interface Listener {
  events: (events: EventFrame[]) => void;
  reset: (() => void) | undefined;
}

export class Store {
  goals = new SvelteMap<string, Goal>();
  /** Open questions, by id. */
  asks = new SvelteMap<string, Escalation>();
  /** The items of goals that have not ended: by goal, by item. */
  items = new SvelteMap<string, Map<string, ItemStatus>>();
  doing = new SvelteMap<string, Doing>();
  today: CostRow | undefined = $state.raw();
  /** Whether the first answer is here. */
  isLoaded = $state(false);
  /** Whether it is known which questions are open. */
  areAsksRead = $state(false);
  /** Rises with each event that there was, so that a test can count them. */
  events = $state(0);
  #listeners = new Set<Listener>();
  #costTimer: ReturnType<typeof setTimeout> | undefined;
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  #touched = new Touched();
  /** Rises when all that is known is replaced: what was asked for before is of no use then. */
  #generation = 0;

  start(): void {
    feed.follow({
      reset: (snapshot) => {
        this.#generation += 1;
        // Open questions stay until it is known that they are not: a person may be answering one.
        for (const known of [this.goals, this.items, this.doing]) known.clear();
        this.areAsksRead = false;
        for (const goal of snapshot?.goals ?? []) this.goals.set(goal.id, goal);
        this.isLoaded = true;
        void this.#read(this.#generation);
        for (const { reset } of this.#listeners) reset?.();
      },
      events: (events) => {
        for (const event of events) this.#take(event);
        for (const { events: heard } of this.#listeners) heard(events);
      },
    });
  }

  /**
   * Hears every event as it comes, until the function that it gives is called. `reset` is called when events were left
   * out, and what was made of them is to be read anew.
   */
  hear(events: Listener['events'], reset?: Listener['reset']): () => void {
    const listener: Listener = { events, reset };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How far a goal is; nothing before its plan stands. */
  progress(goalId: string): Progress | undefined {
    const items = this.items.get(goalId);
    if (!items || items.size === 0) return undefined;
    let done = 0;
    for (const status of items.values()) if (status === 'done' || status === 'skipped') done += 1;
    return { done, total: items.size };
  }

  /** Reads what no snapshot has: open questions, what today has cost, and how far goals are. */
  async #read(generation: number): Promise<void> {
    clearTimeout(this.#readTimer);
    void this.#cost();
    try {
      await this.#readAsks(generation);
      for (const goal of [...this.goals.values()]) {
        if (goal.status === 'active' || goal.status === 'blocked') await this.#readItems(goal.id, generation);
      }
    } catch {
      // The connection broke, or the gateway is too busy.
      this.#readTimer = setTimeout(() => {
        if (generation === this.#generation) void this.#read(generation);
      }, READ_AGAIN_MS);
    }
  }

  async #readAsks(generation: number): Promise<void> {
    const reading = this.#touched.begin();
    try {
      const { escalations } = await feed.call('escalation.list', { status: 'open', limit: ASKS_MAX });
      if (generation !== this.#generation) return;
      const open = new Set(escalations.map((ask) => ask.id));
      for (const id of [...this.asks.keys()]) if (!open.has(id) && !reading.isOld(id)) this.asks.delete(id);
      for (const ask of escalations) if (!reading.isOld(ask.id) && !this.#isOver(ask.goal_id)) this.asks.set(ask.id, ask);
      this.areAsksRead = true;
    } finally {
      reading.end();
    }
  }

  async #readItems(goalId: string, generation: number): Promise<void> {
    const reading = this.#touched.begin();
    try {
      const { workItems } = await feed.call('workitem.byGoal', { goalId });
      if (generation !== this.#generation || this.#isOver(goalId)) return;
      const items = new Map(this.items.get(goalId));
      for (const item of workItems) if (!item.superseded && !reading.isOld(item.id)) items.set(item.id, item.status);
      this.items.set(goalId, items);
    } finally {
      reading.end();
    }
  }

  #isOver(goalId: string): boolean {
    return this.goals.get(goalId)?.completed_at !== undefined;
  }

  #newer(goal: Goal): void {
    const known = this.goals.get(goal.id);
    if (known && known.updated_at > goal.updated_at) return;
    this.goals.set(goal.id, goal);
    if (this.goals.size <= GOALS_MAX) return;
    for (const one of this.goals.values()) {
      if (one.completed_at === undefined) continue;
      this.goals.delete(one.id);
      return;
    }
  }

  #take(event: EventFrame): void {
    if (!event.ephemeral) this.events += 1;
    const data = event.data as { goal?: Goal; escalation?: Escalation; goalId?: string };
    if (data.goal) this.#newer(data.goal);
    if (data.escalation) {
      this.#touched.touch(data.escalation.id);
      if (data.escalation.status === 'open') this.asks.set(data.escalation.id, data.escalation);
      else this.asks.delete(data.escalation.id);
    }
    switch (event.event) {
      case 'goal.completed':
      case 'goal.failed':
      case 'goal.cancelled':
        this.items.delete(event.data.goalId);
        this.doing.delete(event.data.goalId);
        for (const ask of this.asks.values()) if (ask.goal_id === event.data.goalId) this.asks.delete(ask.id);
        break;
      case 'workitem.created':
      case 'workitem.updated':
      case 'workitem.started':
      case 'workitem.completed':
      case 'workitem.failed':
      case 'workitem.blocked': {
        const item = event.data.workItem;
        this.#touched.touch(item.id);
        // A map of its own each time: only then is it seen that something changed.
        const items = new Map(this.items.get(item.goal_id));
        if (item.superseded) items.delete(item.id);
        else items.set(item.id, item.status);
        this.items.set(item.goal_id, items);
        if (event.event === 'workitem.started') this.#does(item.goal_id, item.title, event.at);
        break;
      }
      case 'model.answered':
      case 'model.failed':
        this.#costSoon();
        if (event.event === 'model.answered' && event.data.calls[0]) {
          this.#does(event.data.goalId, event.data.calls[0].title, event.at);
        }
        break;
      case 'conversation.response':
        this.#costSoon();
        break;
      default:
    }
  }

  #does(goalId: string, text: string, at: number | undefined): void {
    this.doing.set(goalId, { text, at: at ?? Date.now() });
  }

  #costSoon(): void {
    this.#costTimer ??= setTimeout(() => {
      this.#costTimer = undefined;
      void this.#cost();
    }, COST_AFTER_MS);
  }

  async #cost(): Promise<void> {
    try {
      const row = (await feed.call('cost.summary', { by: 'day', limit: 1 })).rows.at(-1);
      this.today = row && row.key === today() ? row : undefined;
    } catch {
      // The next event asks again.
    }
  }
}

/** The date as the scheduler names it. */
function today(): string {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`;
}

export const store = new Store();
