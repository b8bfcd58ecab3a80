// The one connection to the gateway: calls and events over one WebSocket.
//
// It connects again by itself, and each subscription goes on after the last event that it handed over, so nothing is lost
// and nothing comes twice (`following.ts`). What becomes of calls meanwhile is in `calls.ts`. What comes is handed over in a
// frame of the screen, and never for longer than a part of it, however much there is.

import type { EventFrame, Methods, Method, ServerFrame } from 'rpc';
import { Calls, type Answered } from './calls.ts';
import { type Follower, Following, type Give, type Subscription } from './following.ts';

export type { Follower };

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
  /** Why events are missing for now, though there is a connection. */
  refused?: string;
  permissions: string[];
}

/** The pause before the first try, and the longest one, in milliseconds. */
const RETRY_FIRST_MS = 250;
const RETRY_MAX_MS = 8_000;
/** How long events are handed over in one frame, in milliseconds. */
const SLICE_MS = 6;
/** Frames, and their characters, that wait for their turn; beyond it we connect again and take them from the log then. */
const WAITING_MAX = 50_000;
const WAITING_CHARS_MAX = 64 * 1024 * 1024;
/** Silence after which the gateway is asked whether it is there, and how long it may take to say so, in milliseconds. */
const QUIET_MS = 40_000;
const ANSWER_MS = 8_000;
/** How long a connection may take to be made, in milliseconds. */
const CONNECT_MAX_MS = 10_000;
/** How often that is looked at; a look that comes much later means that the machine slept. */
const LOOK_MS = 5_000;
/** Where the event that we wait for is no more in the log, no event for so long means that all are here, in milliseconds. */
const CAUGHT_UP_MS = 2_000;
/** What of a browser is used, so that a test can put its own in place. */
export interface World {
  open(): WebSocket;
  /** Whether this browser may come in: `undefined` while the gateway does not answer. */
  mayEnter(): Promise<boolean | undefined>;
  now(): number;
  /** Calls back once the screen is about to be drawn. */
  frame(work: () => void): void;
}

export class Feed {
  /** Takes what is told of the trace, set by whoever subscribes to it: that is beside the log, and one at a time. */
  trace: ((frame: EventFrame) => void) | undefined;
  link: Link = { state: 'connecting', permissions: [] };
  #world: World;
  #changed: (link: Link) => void;
  #socket: WebSocket | undefined;
  #isOpen = false;
  /** Connections that were begun so far. */
  #begun = 0;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #calls: Calls;
  #following: Following;
  #waiting: string[] = [];
  #taken = 0;
  #waitingChars = 0;
  #isScheduled = false;
  #heardAt = 0;
  #lookedAt = 0;
  #isAsked = false;
  #caught = 0;
  #caughtTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(world: World, changed: (link: Link) => void) {
    this.#world = world;
    this.#changed = changed;
    this.#calls = new Calls((method) => {
      // Its answer may come yet, and would be a subscription that nobody knows.
      if (method === 'events.subscribe') this.#lost(this.#world.now());
      else this.#askWhetherThere();
    });
    this.#following = new Following(this.#calls, () => this.#followed());
    this.#lookedAt = world.now();
    setInterval(() => this.look(), LOOK_MS);
  }

  /** Connects; also when a pause is not over. */
  connect(): void {
    clearTimeout(this.#timer);
    this.#drop();
    this.#show({ state: this.link.goneSince === undefined ? 'connecting' : 'waiting' }, ['retryAt']);
    const socket = this.#world.open();
    this.#begun += 1;
    this.#socket = socket;
    this.#heardAt = this.#world.now();
    this.#timer = setTimeout(() => void this.#gone(socket, 0), CONNECT_MAX_MS);
    socket.onmessage = (message) => this.#heard(socket, message.data as string);
    socket.onclose = (close) => void this.#gone(socket, close.code);
  }

  /** Asks the gateway to do something, or to tell something. It fails by a `CallError` or a `LinkError`. */
  call<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    return new Promise((resolve, reject) => this.#calls.ask(method, params, { done: resolve, failed: reject }));
  }

  /** The same; what came of it is told before the frame behind the answer is looked at. */
  ask<M extends Method>(method: M, params: Methods[M]['params'], on: Answered<M>): void {
    this.#calls.ask(method, params, on);
  }

  /** Follows events until the function that it gives is called. */
  follow(follower: Follower): () => void {
    return this.#following.add(follower);
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
    // The next look would be too late.
    if (slept || now - this.#heardAt > QUIET_MS - LOOK_MS) this.#askWhetherThere();
  }

  /** What the gateway does not answer in time ends the connection. */
  #askWhetherThere(): void {
    if (!this.#isOpen || this.#isAsked) return;
    const socket = this.#socket;
    const asked = this.#world.now();
    this.#isAsked = true;
    // A call of its own: it is answered by whatever comes.
    socket?.send(JSON.stringify({ type: 'req', id: 'there', method: 'system.ping', params: {} }));
    setTimeout(() => {
      if (socket !== this.#socket) return;
      this.#isAsked = false;
      if (this.#heardAt < asked) this.#lost(this.#heardAt);
    }, ANSWER_MS);
  }

  /** Ends the connection as it is, and begins another one. */
  #lost(since: number): void {
    this.#show({ state: 'waiting', goneSince: this.link.goneSince ?? since }, ['back']);
    this.connect();
  }

  #heard(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#heardAt = this.#world.now();
    this.#waitingChars += text.length;
    if (this.#waiting.length - this.#taken >= WAITING_MAX || this.#waitingChars > WAITING_CHARS_MAX) {
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
    const give: Give = (subscription, event) => {
      // Of what everybody follows each is counted, and not again what one goal's panel is told.
      if (!event.ephemeral && !subscription.follower.goalId) this.#caught += 1;
      const batch = batches.get(subscription);
      if (batch) batch.push(event);
      else batches.set(subscription, [event]);
    };
    while (this.#taken < this.#waiting.length) {
      const text = this.#waiting[this.#taken++] as string;
      this.#waitingChars -= text.length;
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
      if (this.#following.has(subscription)) subscription.follower.events(events, more);
    }
  }

  #take(frame: ServerFrame, give: Give): void {
    if (frame.type === 'res') {
      this.#calls.answered(frame.id, frame.result, frame.error);
    } else if (frame.type === 'cursor') {
      this.#following.isAt(frame.subscriptionId, frame.cursor);
    } else if (frame.type === 'event') {
      if (frame.event === 'connection.authenticated') this.#opened(frame.data.permissions);
      else if (frame.event === 'debug' || (frame.event === 'rebase_required' && frame.data.channel === 'debug')) this.trace?.(frame);
      else this.#following.heard(frame, give);
    }
  }

  #opened(permissions: string[]): void {
    clearTimeout(this.#timer);
    this.#isOpen = true;
    this.#tries = 0;
    this.#caught = 0;
    this.#show({ state: this.link.goneSince === undefined ? 'live' : 'catching_up', permissions });
    const socket = this.#socket;
    this.#calls.opened((text) => socket?.send(text));
    this.#following.opened();
    this.#followed();
  }

  /** Shows where those who follow are: all of it is here once they have the event that was the last when they asked. */
  #followed(): void {
    const { refused } = this.#following;
    if (refused !== this.link.refused) this.#show(refused === undefined ? {} : { refused }, refused === undefined ? ['refused'] : []);
    if (this.link.state !== 'catching_up') return;
    clearTimeout(this.#caughtTimer);
    const { standing } = this.#following;
    if (standing === 'here') this.#caughtUp();
    else if (standing === 'behind') this.#caughtTimer = setTimeout(() => this.#caughtUp(), CAUGHT_UP_MS);
  }

  #caughtUp(): void {
    if (this.link.state !== 'catching_up') return;
    const awayMs = this.#world.now() - (this.link.goneSince ?? this.#world.now());
    this.#show({ state: 'live', back: { awayMs, events: this.#caught } }, ['goneSince']);
  }

  async #gone(socket: WebSocket, code: number): Promise<void> {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    const begun = this.#begun;
    this.#drop();
    this.#show({ state: 'waiting', goneSince: this.link.goneSince ?? this.#world.now() }, ['refused', 'back']);
    // A token that ended, or none: then nothing comes of trying again.
    const mayEnter = code === 4003 ? false : await this.#world.mayEnter();
    // Another connection was begun meanwhile: by what is known now, and not when this was asked.
    if (this.#begun !== begun) return;
    if (mayEnter === false) {
      this.#show({ state: 'locked', permissions: [] }, ['goneSince', 'retryAt']);
      this.#calls.locked();
      return;
    }
    const pause = Math.min(RETRY_FIRST_MS * 2 ** this.#tries, RETRY_MAX_MS);
    this.#tries += 1;
    this.#show({ retryAt: this.#world.now() + pause });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.connect(), pause);
  }

  /** Lets go of the connection, and of what came by it and was not handed over. */
  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isOpen = false;
    this.#isAsked = false;
    this.#waiting = [];
    this.#taken = 0;
    this.#waitingChars = 0;
    clearTimeout(this.#caughtTimer);
    this.#following.closed();
    this.#calls.closed();
    socket?.close();
  }

  #show(link: Partial<Link>, without: (keyof Link)[] = []): void {
    const next = { ...this.link, ...link };
    for (const key of without) delete next[key];
    this.link = next;
    this.#changed(this.link);
  }
}
