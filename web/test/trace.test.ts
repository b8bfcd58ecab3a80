import { beforeEach, expect, test, vi } from 'vitest';
import type { DebugEvent, EventFrame } from 'rpc';

const calls: { method: string; params: { after?: string } }[] = [];
const feed: { trace: ((frame: EventFrame) => void) | undefined; call: unknown; ask: unknown } = { trace: undefined, call: undefined, ask: undefined };
/** What is asked and not answered yet. */
const open: ((answer: object) => void)[] = [];
const answer = (said: object = {}) => open.shift()?.({ success: true, cursor: 'c', ...said });
vi.mock('../src/lib/api.svelte.ts', () => ({ feed, said: String }));
const { EVENTS_MAX, TraceView } = await import('../src/trace/view.svelte.ts');

const dropped = (timestamp: number, count: number) => ({ timestamp, data: { count } }) as unknown as DebugEvent;
feed.call = async (method: string, params: { after?: string }) => {
  calls.push({ method, params });
  return method === 'debug.events' ? { events: [dropped(10, 3), dropped(20, 4), dropped(90, 5)], total: 3 } : { success: true, cursor: 'c' };
};

feed.ask = (method: string, params: { after?: string }, on: { done(answer: object): void }) => {
  calls.push({ method, params });
  open.push(on.done);
};

beforeEach(() => void (open.length = 0));

function told(n: number, goalId = 'goal'): EventFrame {
  const event = { id: String(n), timestamp: n, type: 'tool.invoke', source: 'test', data: {}, goalId, spanId: `s${n}` };
  return { type: 'event', event: 'debug', cursor: `c${n}`, data: { channel: 'debug', event, timestamp: n } } as unknown as EventFrame;
}

test('what was dropped while the goal ran is counted, and nothing else', async () => {
  const view = new TraceView('goal');
  await view.askDrops();
  expect([view.droppedBetween(10, 20), view.droppedBetween(21, 80)]).toEqual([7, 0]);
  view.end();
});

test('it goes on after the last event, takes those of its goal only, and so many at most', () => {
  const view = new TraceView('goal');
  view.ask();
  answer();
  feed.trace?.(told(1));
  feed.trace?.(told(2, 'other'));
  calls.length = 0;
  view.ask();
  answer();
  expect(calls[0]?.params.after).toBe('c1');
  expect(view.spans.size).toBe(1);
  for (let n = 2; n <= EVENTS_MAX + 5; n += 1) feed.trace?.(told(n));
  expect([view.spans.size, view.isFull]).toEqual([EVENTS_MAX, true]);
  view.end();
  expect(feed.trace).toBeUndefined();
});

test('a trace that takes the place of another is read from its start, and that is told', () => {
  const view = new TraceView('goal');
  view.ask();
  answer();
  feed.trace?.(told(1));
  calls.length = 0;
  feed.trace?.({ type: 'event', event: 'rebase_required', data: { channel: 'debug' } } as unknown as EventFrame);
  expect([view.spans.size, view.wasReplaced, calls[0]?.params.after]).toEqual([0, true, 'start']);
  view.end();
});

test('what comes before the answer is of a view before this one, and what comes behind it is not lost', () => {
  const view = new TraceView('goal');
  view.ask();
  feed.trace?.(told(1));
  expect(view.spans.size).toBe(0);
  // Behind an answer that says that the trace is another one, in the same breath.
  answer({ rebase_required: true });
  feed.trace?.(told(1));
  feed.trace?.(told(2));
  expect([view.spans.size, view.wasReplaced]).toEqual([2, true]);
  view.end();
});
