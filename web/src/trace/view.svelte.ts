// The trace of one goal: all of it that is kept, then what is told as it happens.
import type { DebugEvent, EventFrame } from 'rpc';
import { feed, said } from '../lib/api.svelte.ts';
import { Spans, type Span } from './spans.ts';

/** Debug events of a goal that the page takes; `pb debug events` shows the rest. */
export const EVENTS_MAX = 20_000;
/** Events that tell of others that were dropped, at most. */
const DROPS_MAX = 500;
/** How often what is shown follows, in milliseconds. */
const CHANGE_EVERY_MS = 200;

export class TraceView {
  readonly goalId: string;
  #spans = new Spans();
  #version = $state(0);
  #taken = 0;
  /** Questions for what follows so far, and whether the latest is answered. */
  #asked = 0;
  #isTold = false;
  #cursor = 'start';
  #later: ReturnType<typeof setTimeout> | undefined;
  #drops: DebugEvent[] = $state.raw([]);
  /** Why it cannot be shown. */
  problem: string | undefined = $state();
  /** Whether the answer to the first question is here. */
  isAsked = $state(false);
  /** Whether the trace was deleted, or replaced, while it was shown. */
  wasReplaced = $state(false);

  constructor(goalId: string) {
    this.goalId = goalId;
    feed.trace = (frame) => this.#take(frame);
  }

  /** Asks for what follows; called each time that the connection is there. */
  ask(): void {
    const asked = (this.#asked += 1);
    // What comes before the answer is of a question before this one: it comes again behind it.
    this.#isTold = false;
    const heard = (problem: string | undefined) => {
      this.problem = problem;
      this.isAsked = true;
    };
    feed.ask('debug.events.subscribe', { goalId: this.goalId, after: this.#cursor }, {
      done: (answer) => {
        if (asked !== this.#asked) return;
        if (answer.rebase_required) this.#forget();
        this.#isTold = true;
        heard(undefined);
      },
      failed: (error) => {
        if (asked === this.#asked) heard(said(error));
      },
    });
  }

  /** Asks what was dropped: that is told of no goal, and so not among what follows. */
  async askDrops(): Promise<void> {
    try {
      this.#drops = (await feed.call('debug.events', { type: 'trace.dropped', limit: DROPS_MAX })).events;
    } catch (error) {
      this.problem = said(error);
    }
  }

  end(): void {
    clearTimeout(this.#later);
    feed.trace = undefined;
    void feed.call('debug.events.unsubscribe', {}).catch(() => {});
  }

  get spans(): Spans {
    void this.#version;
    return this.#spans;
  }
  get roots(): Span[] {
    return this.spans.roots();
  }
  /** Whether more was told than is taken. */
  get isFull(): boolean {
    void this.#version;
    return this.#taken >= EVENTS_MAX;
  }
  /** How many debug events, of whichever goal, were dropped while this one ran. */
  droppedBetween(from: number, to: number): number {
    const within = this.#drops.filter((event) => event.timestamp >= from && event.timestamp <= to);
    return within.reduce((sum, event) => sum + ((event.data as { count?: number }).count ?? 0), 0);
  }

  #take(frame: EventFrame): void {
    if (frame.event === 'rebase_required') {
      if (!this.#isTold) return;
      this.#forget();
      this.ask();
      return;
    }
    if (!this.#isTold || frame.event !== 'debug' || frame.data.event.goalId !== this.goalId) return;
    if (frame.cursor) this.#cursor = frame.cursor;
    if (this.#taken >= EVENTS_MAX) return;
    this.#taken += 1;
    this.#spans.take(frame.data.event);
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.#version += 1;
    }, CHANGE_EVERY_MS);
  }

  #forget(): void {
    this.#spans = new Spans();
    this.#taken = 0;
    this.#cursor = 'start';
    this.wasReplaced = true;
    this.#version += 1;
  }
}
