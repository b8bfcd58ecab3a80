// Who follows events: each from its own place in the log, which it keeps over connections.

import type { EventFrame, Snapshot } from 'rpc';
import { CallError, type Calls, LinkError } from './calls.ts';

/** Events of a subscription, in the order of the log. */
export interface Follower {
  /** Only of this goal. */
  goalId?: string;
  /** Whether all that ever happened is wanted, and not a snapshot and what follows it. */
  fromStart?: boolean;
  /** The goals as they stand: what is known of them is replaced by these. */
  reset?(snapshot: Snapshot | undefined): void;
  /** There are no such events, and it is not asked again before the next connection. */
  refused?(error: Error): void;
  /** `more` come at once: what is slow may wait for the last of them. */
  events(events: EventFrame[], more: boolean): void;
}

/** A follower, and where it is. */
export interface Subscription {
  follower: Follower;
  cursor: string | undefined;
  /** On the connection that there is. */
  id: string | undefined;
  /** Rises each time that it is asked for: only the last answer counts. */
  asked: number;
  /** The event with which it has caught up; `undefined` once it has, `null` until that is known. */
  end: string | null | undefined;
  /** Why it is asked for again, and when. */
  refused: { why: string; timer: ReturnType<typeof setTimeout> } | undefined;
}

/** Is given an event for a subscription. */
export type Give = (subscription: Subscription, event: EventFrame) => void;

/** The pause before a subscription that was refused is asked for again, in milliseconds. */
const ASK_AGAIN_MS = 2_000;
/** Why it would be refused again: it is not allowed, makes no sense, or there is no such goal. */
const REFUSED_FOR_GOOD = [-32004, -32602, -32010];

export class Following {
  #all = new Set<Subscription>();
  #calls: Calls;
  #changed: () => void;
  #isOpen = false;

  /** `changed` is called when one was refused, or is further on. */
  constructor(calls: Calls, changed: () => void) {
    this.#calls = calls;
    this.#changed = changed;
  }

  /** Follows until the function that it gives is called. */
  add(follower: Follower): () => void {
    const cursor = follower.fromStart ? 'start' : undefined;
    const subscription: Subscription = { follower, cursor, id: undefined, asked: 0, end: undefined, refused: undefined };
    this.#all.add(subscription);
    if (this.#isOpen) this.#ask(subscription);
    return () => {
      this.#all.delete(subscription);
      clearTimeout(subscription.refused?.timer);
      // Where there is no id yet, the answer that brings it ends the subscription.
      if (subscription.id) this.#end(subscription.id);
      this.#changed();
    };
  }

  has(subscription: Subscription): boolean {
    return this.#all.has(subscription);
  }

  /** There is a connection. */
  opened(): void {
    this.#isOpen = true;
    for (const subscription of this.#all) this.#ask(subscription);
  }

  /** It is gone. */
  closed(): void {
    this.#isOpen = false;
    for (const subscription of this.#all) {
      subscription.id = undefined;
      clearTimeout(subscription.refused?.timer);
      subscription.refused = undefined;
    }
  }

  /** Why one is not there, and is asked for again. */
  get refused(): string | undefined {
    for (const { refused } of this.#all) if (refused) return refused.why;
    return undefined;
  }

  /**
   * Whether those who follow everything have what there was when they asked. One that follows a goal is told of no other,
   * and so not when it has caught up.
   */
  get standing(): 'here' | 'behind' | 'unknown' {
    const ends = [...this.#all].filter((one) => !one.follower.goalId).map((one) => one.end);
    if (ends.includes(null)) return 'unknown';
    return ends.every((end) => end === undefined) ? 'here' : 'behind';
  }

  /** An event came. */
  heard(frame: EventFrame, give: Give): void {
    if (frame.ephemeral) {
      // A delta comes once, whoever asked for it.
      const goalId = (frame.data as { goalId?: string }).goalId;
      for (const one of this.#all) if (!one.follower.goalId || one.follower.goalId === goalId) give(one, frame);
      return;
    }
    const subscription = this.#find(frame.subscriptionId);
    if (!subscription) return;
    if (frame.event === 'rebase_required') {
      this.#ask(subscription);
      return;
    }
    give(subscription, frame);
    if (frame.cursor) this.#passed(subscription, frame.cursor);
  }

  /** One is told where it is. */
  isAt(subscriptionId: string | undefined, cursor: string): void {
    const subscription = this.#find(subscriptionId);
    if (subscription) this.#passed(subscription, cursor);
  }

  #passed(subscription: Subscription, cursor: string): void {
    subscription.cursor = cursor;
    if (subscription.end === cursor) subscription.end = undefined;
    this.#changed();
  }

  #find(id: string | undefined): Subscription | undefined {
    if (id === undefined) return undefined;
    for (const subscription of this.#all) if (subscription.id === id) return subscription;
    return undefined;
  }

  #ask(subscription: Subscription): void {
    const { follower } = subscription;
    const { goalId } = follower;
    const asked = ++subscription.asked;
    const isWanted = () => this.#all.has(subscription) && asked === subscription.asked;
    subscription.id = undefined;
    subscription.end = null;
    const params = { deltas: true, ...(goalId && { goalId }), ...(subscription.cursor && { after: subscription.cursor }) };
    this.#calls.ask('events.subscribe', params, {
      done: (result) => {
        if (!isWanted()) {
          this.#end(result.subscriptionId);
          return;
        }
        subscription.id = result.subscriptionId;
        subscription.refused = undefined;
        const isFirst = subscription.cursor === undefined;
        subscription.end = result.end ?? undefined;
        this.#passed(subscription, result.cursor);
        if (isFirst || result.rebase_required) follower.reset?.(result.snapshot);
      },
      failed: (error) => {
        // One that broke with its connection is asked for on the next; where too many calls wait, there will be none.
        const isBroken = error instanceof LinkError && error.problem !== 'many';
        if (isWanted() && !isBroken) this.#refused(subscription, error);
      },
    });
  }

  #refused(subscription: Subscription, error: Error): void {
    subscription.end = undefined;
    if (error instanceof CallError && REFUSED_FOR_GOOD.includes(error.code)) {
      subscription.follower.refused?.(error);
    } else {
      const timer = setTimeout(() => this.#ask(subscription), ASK_AGAIN_MS);
      subscription.refused = { why: error.message, timer };
    }
    this.#changed();
  }

  #end(subscriptionId: string): void {
    this.#calls.ask('events.unsubscribe', { subscriptionId }, { done: () => {}, failed: () => {} });
  }
}
