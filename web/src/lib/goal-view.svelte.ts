// A goal as its panel shows it: its whole history is folded, then what happens as it happens.
import type { Artifact, Escalation, EventFrame, GateResult, Goal, Run, WorkItem } from 'rpc';
import { LinkError } from '../calls.ts';
import { feed, said } from './api.svelte.ts';

/** Lines of the story that are kept; earlier ones are dropped from the page, and stay in the log. */
const LINES_MAX = 5_000;
/** How often what is shown follows while a long history comes in, in milliseconds. */
const CHANGE_EVERY_MS = 1_000;
/** How much of what is being said or printed is kept on the page, in characters. */
const LIVE_CHARS_MAX = 20_000;
/** Answers and outputs that are being said and printed at once, on the page; the one that began first gives way. */
const LIVE_MAX = 64;
/** What gates found, on the page; the earliest is dropped. */
const GATES_MAX = 20_000;
/** The pause before what could not be read is asked for again, in milliseconds. */
const READ_AGAIN_MS = 5_000;

/** How a line is meant. */
export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'soft';

/** One thing that happened. */
export interface Line {
  at: number;
  event: EventFrame;
  itemId: string | undefined;
}

/** What a model says, or a tool prints, right now. */
export interface Live {
  id: string;
  itemId: string | undefined;
  kind: 'thought' | 'text' | 'output';
  /** The model or the tool. */
  who: string;
  text: string;
}

export class GoalView {
  readonly id: string;
  #version = $state(0);
  /** Why it cannot be shown. */
  problem: string | undefined = $state();
  #goal: Goal | undefined;
  #items = new Map<string, WorkItem>();
  #runs = new Map<string, Run>();
  #gates: GateResult[] = [];
  #artifacts = new Map<string, Artifact>();
  #asks = new Map<string, Escalation>();
  #lines: Line[] = [];
  #dropped = 0;
  /** Whether its history was dropped from the log, and whether its items were read: both must be before its runs are. */
  #isCompacted = false;
  #hasItems = false;
  #live = new Map<string, Live>();
  #models = new Map<string, string>();
  #changedAt = Date.now();
  #later: ReturnType<typeof setTimeout> | undefined;
  #readTimer: ReturnType<typeof setTimeout> | undefined;
  /** Rises when all that is known is replaced, and at the end: what was asked for before is of no use then. */
  #generation = 0;
  #end: () => void;

  constructor(id: string) {
    this.id = id;
    this.#end = feed.follow({
      goalId: id,
      fromStart: true,
      reset: () => this.#forget(),
      refused: (error) => (this.problem = said(error)),
      events: (events, more) => {
        for (const event of events) this.#take(event);
        this.#change(more);
      },
    });
    void this.#load(this.#generation);
  }

  end(): void {
    this.#generation += 1;
    clearTimeout(this.#later);
    clearTimeout(this.#readTimer);
    this.#end();
  }

  get goal(): Goal | undefined {
    return this.#read(this.#goal);
  }
  /** The plan as it stands, in its order. */
  get items(): WorkItem[] {
    return this.#read([...this.#items.values()].filter((item) => !item.superseded));
  }
  get runs(): Run[] {
    return this.#read([...this.#runs.values()]);
  }
  /** What gates found, the latest last. */
  get gates(): GateResult[] {
    return this.#read(this.#gates.slice());
  }
  get artifacts(): Artifact[] {
    return this.#read([...this.#artifacts.values()]);
  }
  get asks(): Escalation[] {
    return this.#read([...this.#asks.values()].filter((ask) => ask.status === 'open'));
  }
  get lines(): Line[] {
    return this.#read(this.#lines.slice());
  }
  /** How many lines are no more on the page. */
  get dropped(): number {
    return this.#read(this.#dropped);
  }
  get live(): Live[] {
    return this.#read([...this.#live.values()]);
  }

  /** Has what is shown follow: at once, or now and then while much comes. */
  #change(more: boolean): void {
    const now = Date.now();
    clearTimeout(this.#later);
    if (more && now - this.#changedAt < CHANGE_EVERY_MS) {
      // If the rest does not come after all.
      this.#later = setTimeout(() => this.#change(false), CHANGE_EVERY_MS);
      return;
    }
    this.#changedAt = now;
    this.#version += 1;
  }

  /** Has whoever reads be told of the next change. */
  #read<T>(value: T): T {
    void this.#version;
    return value;
  }

  #forget(): void {
    this.#generation += 1;
    this.#hasItems = false;
    this.#dropped = 0;
    this.#goal = undefined;
    this.#asks.clear();
    this.#items.clear();
    this.#runs.clear();
    this.#gates = [];
    this.#artifacts.clear();
    this.#lines = [];
    this.#live.clear();
    void this.#load(this.#generation);
  }

  /** How it stands, before its history is here; and all that there is of one whose history was dropped. */
  async #load(generation: number): Promise<void> {
    clearTimeout(this.#readTimer);
    try {
      const [detail, { workItems }] = await Promise.all([
        feed.call('goal.status', { goalId: this.id }),
        feed.call('workitem.byGoal', { goalId: this.id }),
      ]);
      if (generation !== this.#generation) return;
      this.problem = undefined;
      this.#newer(detail);
      for (const item of workItems) this.#item(item);
      this.#hasItems = true;
      if (this.#isCompacted) void this.#loadRuns(generation);
      // What an event told is newer.
      for (const artifact of detail.artifacts) if (!this.#artifacts.has(artifact.id)) this.#artifacts.set(artifact.id, artifact);
      for (const ask of detail.escalations) if (!this.#asks.has(ask.id)) this.#asks.set(ask.id, ask);
      this.#version += 1;
    } catch (error) {
      if (generation !== this.#generation) return;
      this.problem = said(error);
      if (error instanceof LinkError) this.#readTimer = setTimeout(() => void this.#load(generation), READ_AGAIN_MS);
    }
  }

  /** Attempts and gates of a goal whose events are no more in the log. */
  async #loadRuns(generation: number): Promise<void> {
    const gates: GateResult[] = [];
    try {
      for (const item of [...this.#items.values()]) {
        const { runs } = await feed.call('workitem.runs', { workItemId: item.id });
        if (generation !== this.#generation) return;
        for (const run of runs) {
          if (!this.#runs.has(run.id)) this.#runs.set(run.id, run);
          gates.push(...(run.gates ?? []));
        }
      }
    } catch (error) {
      if (generation !== this.#generation) return;
      this.problem = said(error);
    }
    // Whoever saw them happen has them all.
    if (gates.length > this.#gates.length) this.#gates = gates.slice(-GATES_MAX);
    this.#version += 1;
  }

  #newer(goal: Goal): void {
    if (!this.#goal || goal.updated_at >= this.#goal.updated_at) this.#goal = goal;
  }

  #item(item: WorkItem): void {
    const known = this.#items.get(item.id);
    if (!known || item.updated_at >= known.updated_at) this.#items.set(item.id, item);
  }

  #take(event: EventFrame): void {
    if (event.ephemeral) {
      this.#delta(event);
      return;
    }
    const data = event.data as {
      goal?: Goal;
      workItem?: WorkItem;
      run?: Run;
      escalation?: Escalation;
      artifact?: Artifact;
      workItemId?: string;
    };
    if (data.goal) this.#newer(data.goal);
    if (data.workItem) this.#item(data.workItem);
    if (data.run) this.#runs.set(data.run.id, data.run);
    if (data.escalation) this.#asks.set(data.escalation.id, data.escalation);
    if (data.artifact) this.#artifacts.set(data.artifact.id, data.artifact);
    if (event.event === 'gate.completed') {
      this.#gates.push(event.data.gate);
      if (this.#gates.length > GATES_MAX) this.#gates = this.#gates.slice(-GATES_MAX / 2);
    }
    if (event.event === 'goal.compacted') {
      this.#isCompacted = true;
      // Before the items are here there is nothing to ask about: their answer asks then.
      if (this.#hasItems) void this.#loadRuns(this.#generation);
    }
    if (event.event === 'model.answered' || event.event === 'model.failed' || event.event === 'tool.completed') {
      this.#settled(event.data.runId, event.event === 'tool.completed');
    }
    if (event.event === 'run.completed') this.#settled(event.data.run.id, undefined);
    this.#lines.push({ at: event.at ?? 0, event, itemId: data.workItemId ?? data.workItem?.id });
    if (this.#lines.length > LINES_MAX) {
      this.#dropped += this.#lines.length - LINES_MAX;
      this.#lines = this.#lines.slice(-LINES_MAX);
    }
  }

  #delta(event: EventFrame): void {
    switch (event.event) {
      case 'llm.stream.start':
        this.#models.set(event.data.requestId, event.data.model);
        dropFirst(this.#models);
        break;
      case 'llm.stream.chunk': {
        const { requestId, kind, chunk } = event.data;
        const is = kind === 'thought' ? 'thought' : 'text';
        this.#append(`${event.data.runId}:${requestId}:${is}`, event.data.workItemId, is, this.#models.get(requestId) ?? '', chunk);
        break;
      }
      case 'tool.output':
        this.#append(`${event.data.runId}:${event.data.requestId}:output`, event.data.workItemId, 'output', event.data.tool, event.data.chunk);
        break;
      case 'llm.stream.end':
      case 'llm.stream.error':
        this.#models.delete(event.data.requestId);
        break;
      default:
    }
  }

  #append(id: string, itemId: string | undefined, kind: Live['kind'], who: string, chunk: string): void {
    const text = ((this.#live.get(id)?.text ?? '') + chunk).slice(-LIVE_CHARS_MAX);
    this.#live.set(id, { id, itemId, kind, who, text });
    dropFirst(this.#live);
  }

  /** What was said or printed is told whole by an event from here on. */
  #settled(runId: string | undefined, isTool: boolean | undefined): void {
    for (const [id, live] of this.#live) {
      if (!id.startsWith(`${runId}:`)) continue;
      if (isTool === undefined || isTool === (live.kind === 'output')) this.#live.delete(id);
    }
  }
}

/** Has the one that began first give way: its end was dropped on the way. */
function dropFirst(all: Map<string, unknown>): void {
  if (all.size <= LIVE_MAX) return;
  for (const id of all.keys()) {
    all.delete(id);
    return;
  }
}
