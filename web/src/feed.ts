// The one connection to the gateway: calls and events over one WebSocket.
//
// It connects again by itself, and each subscription goes on after the last event that it handed over, so nothing is lost
// and nothing comes twice. A call that had no answer when the connection broke is sent again: what changes something
// carries an idempotency key, so it is done once. What comes is handed over in a frame of the screen, and never for longer
// than a part of it, however much there is.

import type { EventFrame, Methods, Method, RpcError, ServerFrame, Snapshot } from 'rpc';

/** How the connection is. */
export type State =
  | 'connecting'
  /** Everything that happened is here. */
  | 'live'
  /** It is back, and what happened meanwhile comes in. */
  | 'catching_up'
  /** It is gone, and comes back. */
  | 'waiting'
  /** This browser may not come in. */
  | 'locked';

/** What is shown of the connection. */
export interface Link {
  state: State;
  /** Milliseconds since 1970 at which the next try is made. */
  retryAt?: number;
  /** Since when it was gone, while it is, and in `catching_up`. */
  goneSince?: number;
  /** What was caught up with when it came back last. */
  back?: { awayMs: number; events: number };
  permissions: string[];
}

/** Events of a subscription, in the order of the log. */
export interface Follower {
  /** Only of this goal. */
  goalId?: string;
  /** Whether all that ever happened is wanted, and not a snapshot and what follows it. */
  fromStart?: boolean;
  /** The goals as they stand: what is known of them is replaced by these. */
  reset?(snapshot: Snapshot | undefined): void;
  /** `more` come at once: what is slow may wait for the last of them. */
  events(events: EventFrame[], more: boolean): void;
}

/** Why a call was not done. */
export class CallError extends Error {
  code: number;
  hint: string | undefined;
  constructor(error: RpcError) {
    super(error.message);
    this.code = error.code;
    this.hint = error.data?.hint;
  }
}

/** The pause before the first try, and the longest one, in milliseconds. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 8_000;
/** How long events are handed over in one frame, in milliseconds. */
const SLICE_MS = 6;
/** Frames that wait for their turn; beyond it we connect again and take them from the log then. */
const WAITING_MAX = 50_000;
/** Calls that may wait for the connection. */
const CALLS_MAX = 256;
/** Silence after which the gateway is asked whether it is there, and how long it may take to say so, in milliseconds. */
const QUIET_MS = 40_000;
const ANSWER_MS = 8_000;
/** How often that is looked at; a look that comes much later means that the machine slept. */
const LOOK_MS = 5_000;
/** No event for so long after coming back means that all of them are here, in milliseconds. */
const CAUGHT_UP_MS = 400;

/** What of a browser is used, so that a test can put its own in place. */
export interface World {
  open(): WebSocket;
  /** Whether this browser may come in: `undefined` while the gateway does not answer. */
  mayEnter(): Promise<boolean | undefined>;
  now(): number;
  /** Calls back once the screen is about to be drawn. */
  frame(work: () => void): void;
}

interface Call {
  text: string;
  /** It is about the connection that there is, and of no use on the next one. */
  isOfConnection: boolean;
  done(result: unknown): void;
  failed(error: Error): void;
}

interface Subscription {
  follower: Follower;
  cursor: string | undefined;
  /** On the connection that there is. */
  id: string | undefined;
}

export class Feed {
  /** Takes what is told of the trace, set by whoever subscribes to it: that is beside the log, and one at a time. */
  trace: ((frame: EventFrame) => void) | undefined;
  link: Link = { state: 'connecting', permissions: [] };
  #world: World;
  #changed: (link: Link) => void;
  #socket: WebSocket | undefined;
  #isOpen = false;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #calls = new Map<string, Call>();
  #nextId = 1;
  #subscriptions = new Set<Subscription>();
  #waiting: string[] = [];
  #taken = 0;
  #isScheduled = false;
  #heardAt = 0;
  #lookedAt = 0;
  #caught = 0;
  #caughtTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(world: World, changed: (link: Link) => void) {
    this.#world = world;
    this.#changed = changed;
    this.#lookedAt = world.now();
    setInterval(() => this.look(), LOOK_MS);
  }

  /** Connects; also when a pause is not over. */
  connect(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#show({ state: this.link.goneSince === undefined ? 'connecting' : 'waiting' }, ['retryAt']);
    const socket = this.#world.open();
    this.#socket = socket;
    this.#heardAt = this.#world.now();
    socket.onmessage = (message) => this.#heard(socket, message.data as string);
    socket.onclose = (close) => void this.#gone(socket, close.code);
  }

  /** Asks the gateway to do something, or to tell something. */
  call<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    return new Promise((resolve, reject) => this.#send(method, params, { done: resolve, failed: reject }));
  }

  /** The same; `done` is called before the frame after the answer is looked at. */
  #send<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    on: { done(result: Methods[M]['result']): void; failed(error: Error): void },
  ): void {
    if (this.#calls.size >= CALLS_MAX) {
      on.failed(new Error('too many calls wait for the gateway'));
      return;
    }
    const id = String(this.#nextId++);
    const text = JSON.stringify({ type: 'req', id, method, params });
    this.#calls.set(id, { text, isOfConnection: method.startsWith('events.'), done: on.done as (result: unknown) => void, failed: on.failed });
    if (this.#isOpen) this.#socket?.send(text);
  }

  /** Follows events until the function that it gives is called. */
  follow(follower: Follower): () => void {
    const subscription: Subscription = { follower, cursor: follower.fromStart ? 'start' : undefined, id: undefined };
    this.#subscriptions.add(subscription);
    if (this.#isOpen) this.#subscribe(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      if (this.#isOpen && subscription.id) {
        void this.call('events.unsubscribe', { subscriptionId: subscription.id }).catch(() => {});
      }
    };
  }

  /** Looks whether the gateway is still there; called now and then, and when a person comes back to the page. */
  look(): void {
    const now = this.#world.now();
    const slept = now - this.#lookedAt > 3 * LOOK_MS;
    this.#lookedAt = now;
    if (!this.#isOpen) {
      if (slept && this.link.state === 'waiting') this.connect();
      return;
    }
    if (!slept && now - this.#heardAt < QUIET_MS) return;
    const socket = this.#socket;
    const asked = now;
    void this.call('system.ping', {}).catch(() => {});
    setTimeout(() => {
      if (socket === this.#socket && this.#heardAt < asked) this.#lost(asked);
    }, ANSWER_MS);
  }

  /** Ends the connection as it is, and begins another one. */
  #lost(since: number): void {
    this.#show({ state: 'waiting', goneSince: this.link.goneSince ?? since });
    this.connect();
  }

  #heard(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#heardAt = this.#world.now();
    if (this.#waiting.length - this.#taken >= WAITING_MAX) {
      // Each subscription goes on after what it has handed over.
      this.#lost(this.#heardAt);
      return;
    }
    this.#waiting.push(text);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#world.frame(() => {
      this.#isScheduled = false;
      this.#hand();
    });
  }

  /** Hands over what waits, for a part of a frame. */
  #hand(): void {
    const end = this.#world.now() + SLICE_MS;
    const batches = new Map<Subscription, EventFrame[]>();
    const give = (subscription: Subscription, event: EventFrame) => {
      const batch = batches.get(subscription);
      if (batch) batch.push(event);
      else batches.set(subscription, [event]);
    };
    while (this.#taken < this.#waiting.length) {
      const text = this.#waiting[this.#taken++] as string;
      this.#take(JSON.parse(text) as ServerFrame, give);
      if (this.#world.now() >= end) break;
    }
    if (this.#taken >= this.#waiting.length) {
      this.#waiting = [];
      this.#taken = 0;
    } else {
      this.#schedule();
    }
    const more = this.#isScheduled;
    for (const [subscription, events] of batches) {
      if (this.#subscriptions.has(subscription)) subscription.follower.events(events, more);
    }
  }

  #take(frame: ServerFrame, give: (subscription: Subscription, event: EventFrame) => void): void {
    if (frame.type === 'res') {
      const call = this.#calls.get(frame.id);
      this.#calls.delete(frame.id);
      if (frame.error) call?.failed(new CallError(frame.error));
      else call?.done(frame.result);
    } else if (frame.type === 'cursor') {
      const subscription = this.#find(frame.subscriptionId);
      if (subscription) subscription.cursor = frame.cursor;
    } else if (frame.type === 'event') {
      this.#event(frame, give);
    }
  }

  #event(frame: EventFrame, give: (subscription: Subscription, event: EventFrame) => void): void {
    if (frame.event === 'connection.authenticated') {
      this.#opened(frame.data.permissions);
      return;
    }
    if (frame.ephemeral) {
      // A delta comes once, whoever asked for it.
      const goalId = (frame.data as { goalId?: string }).goalId;
      for (const subscription of this.#subscriptions) {
        if (!subscription.follower.goalId || subscription.follower.goalId === goalId) give(subscription, frame);
      }
      return;
    }
    if (frame.event === 'debug' || (frame.event === 'rebase_required' && frame.data.channel === 'debug')) {
      this.trace?.(frame);
      return;
    }
    const subscription = this.#find(frame.subscriptionId);
    if (!subscription) return;
    if (frame.event === 'rebase_required') {
      this.#subscribe(subscription);
      return;
    }
    if (frame.cursor) subscription.cursor = frame.cursor;
    if (this.link.state === 'catching_up') {
      this.#caught += 1;
      this.#caughtUpSoon();
    }
    give(subscription, frame);
  }

  #find(id: string | undefined): Subscription | undefined {
    if (id === undefined) return undefined;
    for (const subscription of this.#subscriptions) if (subscription.id === id) return subscription;
    return undefined;
  }

  #opened(permissions: string[]): void {
    this.#isOpen = true;
    this.#tries = 0;
    this.#caught = 0;
    this.#show({ state: this.link.goneSince === undefined ? 'live' : 'catching_up', permissions });
    if (this.link.state === 'catching_up') this.#caughtUpSoon();
    for (const call of this.#calls.values()) this.#socket?.send(call.text);
    for (const subscription of this.#subscriptions) this.#subscribe(subscription);
  }

  #subscribe(subscription: Subscription): void {
    subscription.id = undefined;
    const { goalId } = subscription.follower;
    const params = { deltas: true, ...(goalId && { goalId }), ...(subscription.cursor && { after: subscription.cursor }) };
    this.#send('events.subscribe', params, {
      done: (result) => {
        if (!this.#subscriptions.has(subscription)) return;
        subscription.id = result.subscriptionId;
        const isFirst = subscription.cursor === undefined;
        subscription.cursor = result.cursor;
        if (isFirst || result.rebase_required) subscription.follower.reset?.(result.snapshot);
      },
      failed: () => {}, // The next connection tries again.
    });
  }

  #caughtUpSoon(): void {
    clearTimeout(this.#caughtTimer);
    this.#caughtTimer = setTimeout(() => {
      if (this.link.state !== 'catching_up') return;
      const awayMs = this.#world.now() - (this.link.goneSince ?? this.#world.now());
      this.#show({ state: 'live', back: { awayMs, events: this.#caught } }, ['goneSince']);
    }, CAUGHT_UP_MS);
  }

  async #gone(socket: WebSocket, code: number): Promise<void> {
    if (socket !== this.#socket) return;
    this.#drop();
    this.#show({ state: 'waiting', goneSince: this.link.goneSince ?? this.#world.now() });
    // A token that ended, or none: then nothing comes of trying again.
    const mayEnter = code === 4003 ? false : await this.#world.mayEnter();
    if (this.#socket !== undefined) return;
    if (mayEnter === false) {
      this.#show({ state: 'locked', permissions: [] }, ['goneSince', 'retryAt']);
      return;
    }
    const pause = Math.min(RETRY_FIRST_MS * 2 ** this.#tries, RETRY_MAX_MS);
    this.#tries += 1;
    this.#show({ retryAt: this.#world.now() + pause });
    this.#timer = setTimeout(() => this.connect(), pause);
  }

  /** Lets go of the connection, and of what came by it and was not handed over. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isOpen = false;
    this.#waiting = [];
    this.#taken = 0;
    for (const subscription of this.#subscriptions) subscription.id = undefined;
    // Subscriptions are made anew; their calls are none to be repeated.
    for (const [id, call] of this.#calls) {
      if (!call.isOfConnection) continue;
      this.#calls.delete(id);
      call.failed(new Error('the connection broke'));
    }
    socket?.close();
  }

  #show(link: Partial<Link>, without: (keyof Link)[] = []): void {
    const next = { ...this.link, ...link };
    for (const key of without) delete next[key];
    this.link = next;
    this.#changed(this.link);
  }
}
