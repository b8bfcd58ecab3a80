import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EventFrame } from 'rpc';
import { Feed, type Follower, type Link } from '../src/feed.ts';
import { LinkError } from '../src/calls.ts';

/** A gateway of one log: it answers, and sends what follows a cursor. */
class Gateway {
  log: { event: string; goalId: string }[] = [];
  sockets: Socket[] = [];
  calls: { method: string; params: Record<string, unknown> }[] = [];
  /** Whether calls are answered. */
  answers = true;
  /** Whether subscriptions are, and what they are refused for. */
  subscribes = true;
  refusal: { code: number; message: string } | undefined;
  /** Whether a connection says anything once it is there. */
  greets = true;
  isUp = true;
  open(): WebSocket {
    const socket = new Socket(this);
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  }
  add(event: string, goalId: string): void {
    this.log.push({ event, goalId });
    for (const socket of this.sockets) socket.feed();
  }
  /** What is asked and not answered yet. */
  late: (() => void)[] = [];
  answerLate(): void {
    for (const answer of this.late.splice(0)) answer();
  }
  get socket(): Socket {
    return this.sockets.at(-1) as Socket;
  }
}

class Socket {
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  isOpen = false;
  subscriptions: { id: string; goalId: string | undefined; next: number }[] = [];
  count = 0;
  constructor(readonly gateway: Gateway) {
    queueMicrotask(() => {
      if (!gateway.isUp) return this.break(1006);
      if (!gateway.greets) return;
      this.isOpen = true;
      this.say({ type: 'event', event: 'connection.authenticated', data: { sessionId: 's', permissions: ['admin'] } });
    });
  }
  send(text: string): void {
    const { id, method, params } = JSON.parse(text) as { id: string; method: string; params: Record<string, unknown> };
    this.gateway.calls.push({ method, params });
    if (method === 'events.unsubscribe') {
      this.subscriptions = this.subscriptions.filter((one) => one.id !== params.subscriptionId);
    } else if (method === 'events.subscribe') {
      this.gateway.late.push(() => this.subscribe(id, params));
      if (this.gateway.subscribes) this.gateway.answerLate();
    } else if (this.gateway.answers) {
      this.say({ type: 'res', id, result: { pong: true } });
    }
  }
  subscribe(id: string, params: Record<string, unknown>): void {
    if (this.gateway.refusal) {
      this.say({ type: 'res', id, error: this.gateway.refusal });
    } else {
      const after = params.after as string | undefined;
      const next = after === undefined ? this.gateway.log.length : after === 'start' ? 0 : Number(after);
      const subscription = { id: `sub_${(this.count += 1)}`, goalId: params.goalId as string | undefined, next };
      const end = this.gateway.log.length;
      const result = {
        subscriptionId: subscription.id,
        cursor: String(next),
        ...(end > next && { end: String(end) }),
        ...(after === undefined && { snapshot: { goals: [] } }),
      };
      this.say({ type: 'res', id, result });
      this.subscriptions.push(subscription);
      this.feed();
    }
  }
  feed(): void {
    if (!this.isOpen) return;
    for (const subscription of this.subscriptions) {
      while (subscription.next < this.gateway.log.length) {
        const { event, goalId } = this.gateway.log[subscription.next] as { event: string; goalId: string };
        subscription.next += 1;
        if (subscription.goalId && subscription.goalId !== goalId) continue;
        this.say({ type: 'event', event, data: { goalId }, cursor: String(subscription.next), subscriptionId: subscription.id });
      }
    }
  }
  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  close(): void {
    this.isOpen = false;
  }
  break(code: number): void {
    this.isOpen = false;
    this.onclose?.({ code });
  }
}

let gateway: Gateway;
let links: Link[];
let mayEnter: boolean | undefined | Promise<boolean>;
/** How long handing over one event takes. */
let eventMs = 0;
let feed: Feed;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  gateway = new Gateway();
  links = [];
  mayEnter = undefined;
  eventMs = 0;
  feed = new Feed(
    {
      open: () => gateway.open(),
      mayEnter: async () => mayEnter,
      now: () => {
        vi.setSystemTime(Date.now() + eventMs);
        return Date.now();
      },
      frame: (work) => void setTimeout(work, 16),
    },
    (link) => links.push(link),
  );
  feed.connect();
});
afterEach(() => vi.useRealTimers());

/** A follower that writes down what it is given. */
function witness(follower: Partial<Follower> = {}): { names: string[]; batches: number[]; resets: number } & Follower {
  const seen = {
    names: [] as string[],
    batches: [] as number[],
    resets: 0,
    ...follower,
    reset: () => void (seen.resets += 1),
    events: (events: EventFrame[]) => {
      seen.names.push(...events.map((event) => `${event.event} ${(event.data as { goalId: string }).goalId}`));
      seen.batches.push(events.length);
    },
  };
  return seen;
}
const settle = (ms = 100) => vi.advanceTimersByTimeAsync(ms);

test('what happens is handed over once for each follower, and only what it asked for', async () => {
  gateway.log = [{ event: 'goal.created', goalId: 'a' }];
  const all = witness();
  const one = witness({ goalId: 'a', fromStart: true });
  feed.follow(all);
  feed.follow(one);
  await settle();
  gateway.add('goal.started', 'a');
  gateway.add('goal.created', 'b');
  await settle();
  expect(all).toMatchObject({ names: ['goal.started a', 'goal.created b'], resets: 1 });
  expect(one).toMatchObject({ names: ['goal.created a', 'goal.started a'], resets: 0 });
});

test('after a break each follower goes on after what it was given, and it is told what was caught up with', async () => {
  const all = witness();
  feed.follow(all);
  await settle();
  gateway.add('goal.created', 'a');
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  for (let n = 0; n < 5; n += 1) gateway.log.push({ event: 'goal.updated', goalId: 'a' });
  await settle(3_000);
  expect(feed.link.state).toBe('waiting');
  gateway.isUp = true;
  await settle(8_000);
  expect(all.names).toEqual(['goal.created a', ...Array<string>(5).fill('goal.updated a')]);
  expect(feed.link).toMatchObject({ state: 'live', back: { events: 5 } });
  expect(links.map((link) => link.state)).toContain('catching_up');
  expect(feed.link.goneSince).toBeUndefined();
});

test('what came and was not handed over before a break comes again, and nothing twice', async () => {
  const all = witness();
  feed.follow(all);
  await settle();
  gateway.add('goal.created', 'a');
  // Before the frame in which it would be handed over.
  gateway.socket.break(1006);
  await settle(2_000);
  expect(all.names).toEqual(['goal.created a']);
});

test('a call without an answer is made again with what it said, one of the old connection is not', async () => {
  await settle();
  gateway.answers = false;
  const call = feed.call('goal.pause', { goalId: 'a', idempotencyKey: 'once' });
  await settle();
  gateway.answers = true;
  gateway.socket.break(1006);
  await settle(2_000);
  await expect(call).resolves.toEqual({ pong: true });
  expect(gateway.calls.filter((one) => one.method === 'goal.pause')).toEqual([
    { method: 'goal.pause', params: { goalId: 'a', idempotencyKey: 'once' } },
    { method: 'goal.pause', params: { goalId: 'a', idempotencyKey: 'once' } },
  ]);
});

test('the pauses between tries grow up to 8 s', async () => {
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  const before = gateway.sockets.length;
  await settle(8_000);
  const early = gateway.sockets.length - before;
  await settle(32_000);
  expect(early).toBe(5);
  expect(gateway.sockets.length - before - early).toBe(4);
});

test('who may not come in does not try again', async () => {
  await settle();
  mayEnter = false;
  gateway.isUp = false;
  gateway.socket.break(1006);
  await settle();
  const tries = gateway.sockets.length;
  await settle(60_000);
  expect(feed.link.state).toBe('locked');
  expect(gateway.sockets.length).toBe(tries);
});

test('who may not come in waits for no answer', async () => {
  await settle();
  gateway.answers = false;
  const sent = outcome(feed.call('goal.cancel', { goalId: 'a', idempotencyKey: 'once' }));
  mayEnter = false;
  gateway.isUp = false;
  gateway.socket.break(1006);
  const waits = outcome(feed.call('goal.list', {}));
  await settle(0);
  expect([await sent, await waits, await outcome(feed.call('goal.list', {}))]).toEqual(['unknown', 'locked', 'locked']);
  gateway.isUp = true;
  gateway.answers = true;
  feed.connect();
  await settle();
  const back = outcome(feed.call('goal.list', {}));
  await settle();
  expect(await back).toEqual({ pong: true });
});

test('however often it is tried by hand, there is one connection', async () => {
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  for (let n = 0; n < 5; n += 1) {
    feed.connect();
    await settle(10);
  }
  gateway.isUp = true;
  await settle(9_000);
  expect(gateway.sockets.filter((one) => one.isOpen).length).toBe(1);
  const before = gateway.sockets.length;
  await settle(30_000);
  expect(gateway.sockets.length).toBe(before);
});

test('what was asked before another connection was begun locks nobody', async () => {
  await settle();
  let sayNo = (): void => {};
  mayEnter = new Promise((resolve) => (sayNo = () => resolve(false)));
  gateway.isUp = false;
  gateway.socket.break(1006);
  await settle(0);
  // It has come in anew, and that connection breaks too.
  let sayYes = (): void => {};
  mayEnter = new Promise((resolve) => (sayYes = () => resolve(true)));
  feed.connect();
  await settle(0);
  sayNo();
  await settle(0);
  expect(feed.link.state).toBe('waiting');
  gateway.isUp = true;
  sayYes();
  await settle(1_000);
  expect(feed.link.state).toBe('live');
});

test('a token that ended locks the page at once', async () => {
  await settle();
  gateway.socket.break(4003);
  await settle();
  expect(feed.link.state).toBe('locked');
});

test('a frame of the screen is never used up, however much comes', async () => {
  const all = witness();
  feed.follow(all);
  await settle();
  eventMs = 1;
  for (let n = 0; n < 100; n += 1) gateway.add('goal.updated', 'a');
  await settle(2_000);
  expect(all.names.length).toBe(100);
  expect(Math.max(...all.batches)).toBeLessThanOrEqual(8);
});

test('after sleep the gateway is asked whether it is there, and a dead connection is given up', async () => {
  await settle();
  gateway.answers = false;
  const before = gateway.sockets.length;
  // The machine sleeps: no timer runs, and then the clock is an hour on.
  vi.setSystemTime(Date.now() + 3_600_000);
  await settle(5_000);
  expect(gateway.calls.at(-1)?.method).toBe('system.ping');
  await settle(9_000);
  expect(gateway.sockets.length).toBe(before + 1);
  expect(feed.link.state).toBe('live');
});

test('a gateway that hangs is no more called live after 48 s, and each try to reach it ends', async () => {
  await settle();
  gateway.answers = false;
  gateway.greets = false;
  await settle(30_000);
  expect(feed.link.state).toBe('live');
  await settle(18_000);
  expect(feed.link.state).toBe('waiting');
  const before = gateway.sockets.length;
  await settle(60_000);
  expect(gateway.sockets.length).toBeGreaterThan(before + 2);
  gateway.greets = true;
  await settle(20_000);
  expect(feed.link.state).toBe('live');
  expect(feed.link.back?.awayMs).toBeGreaterThan(100_000);
});

/** What comes of a call: its result, or why there is none. */
const outcome = (call: Promise<unknown>) => call.then((result) => result, (error: unknown) => (error instanceof LinkError ? error.problem : error));

test('what changes something is not done later when there is no connection', async () => {
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  const answer = outcome(feed.call('escalation.respond', { escalationId: 'e', action: 'approve', idempotencyKey: 'once' }));
  await settle(0);
  gateway.isUp = true;
  await settle(60_000);
  expect(await answer).toBe('offline');
  expect(gateway.calls.map((one) => one.method)).not.toContain('escalation.respond');
});

test('what reads waits for a connection, and not for ever', async () => {
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  const early = outcome(feed.call('system.status', {}));
  await settle(14_000);
  const late = outcome(feed.call('goal.list', {}));
  await settle(2_000);
  expect(await early).toBe('waited');
  gateway.isUp = true;
  await settle(9_000);
  expect(await late).toEqual({ pong: true });
  expect(gateway.calls.map((one) => one.method)).not.toContain('system.status');
});

test('what may have been done when the connection broke is sent again within its time, and by its key', async () => {
  await settle();
  gateway.answers = false;
  const keyed = outcome(feed.call('goal.cancel', { goalId: 'a', idempotencyKey: 'once' }));
  const bare = outcome(feed.call('goal.cancel', { goalId: 'b' }));
  await settle();
  gateway.isUp = false;
  gateway.socket.break(1006);
  expect(await bare).toBe('unknown');
  await settle(16_000);
  expect(await keyed).toBe('unknown');
  gateway.isUp = true;
  gateway.answers = true;
  await settle(10_000);
  expect(gateway.calls.filter((one) => one.method === 'goal.cancel').length).toBe(2);
});

test('a call that nobody answers ends, and the gateway is asked whether it is there', async () => {
  await settle();
  gateway.answers = false;
  const read = outcome(feed.call('goal.list', {}));
  const change = outcome(feed.call('goal.pause', { goalId: 'a', idempotencyKey: 'once' }));
  await settle(30_001);
  expect([await read, await change]).toEqual(['silent', 'unknown']);
  expect(gateway.calls.at(-1)?.method).toBe('system.ping');
});

test('a goal that is left before its subscription is there leaves none behind', async () => {
  await settle();
  gateway.subscribes = false;
  for (let n = 0; n < 20; n += 1) feed.follow(witness({ goalId: 'a' }))();
  await settle();
  gateway.subscribes = true;
  gateway.answerLate();
  await settle();
  expect(gateway.socket.subscriptions).toEqual([]);
});

test('a subscription that is refused is shown, and asked for again', async () => {
  await settle();
  gateway.refusal = { code: -32005, message: 'too many' };
  const all = witness();
  feed.follow(all);
  await settle();
  expect(feed.link).toMatchObject({ state: 'live', refused: 'too many' });
  gateway.refusal = undefined;
  await settle(2_100);
  expect(feed.link.refused).toBeUndefined();
  gateway.add('goal.created', 'a');
  await settle();
  expect(all.names).toEqual(['goal.created a']);
});

test('a subscription to what there is not is told to who asked, once', async () => {
  await settle();
  gateway.refusal = { code: -32010, message: 'goal not found' };
  const told: string[] = [];
  feed.follow({ ...witness({ goalId: 'a' }), refused: (error) => told.push(error.message) });
  await settle(10_000);
  expect(told).toEqual(['goal not found']);
  expect(feed.link.refused).toBeUndefined();
});

test('it is live again once what was missed is here, whatever comes after it and however many follow', async () => {
  feed.follow(witness());
  feed.follow(witness({ goalId: 'a' }));
  await settle();
  gateway.socket.break(1006);
  for (let n = 0; n < 3; n += 1) gateway.log.push({ event: 'goal.updated', goalId: 'a' });
  // From now on something happens all the time.
  for (let n = 0; n < 20; n += 1) {
    await settle(100);
    gateway.add('goal.updated', 'b');
  }
  expect(feed.link.state).toBe('live');
  // Those three, and two more until the connection was back; each once.
  expect(feed.link.back?.events).toBe(5);
});

test('what waits for its turn is bounded in bytes too', async () => {
  const all = witness();
  feed.follow(all);
  await settle();
  const before = gateway.sockets.length;
  const long = 'x'.repeat(1024 * 1024);
  for (let n = 0; n < 65; n += 1) gateway.socket.say({ type: 'event', event: 'tool.output', ephemeral: true, data: { long } });
  await settle();
  expect(gateway.sockets.length).toBe(before + 1);
});

test('a delta is given to who follows its goal', async () => {
  const a = witness({ goalId: 'a' });
  const b = witness({ goalId: 'b' });
  feed.follow(a);
  feed.follow(b);
  await settle();
  gateway.socket.say({ type: 'event', event: 'tool.output', ephemeral: true, data: { goalId: 'a' } });
  await settle();
  expect(a.names).toEqual(['tool.output a']);
  expect(b.names).toEqual([]);
});
