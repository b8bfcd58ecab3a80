import { beforeEach, expect, test, vi } from 'vitest';
import type { Escalation, EventFrame, Goal, Snapshot, WorkItem } from 'rpc';

/** What was asked of the gateway, to be answered when a test likes. */
const asked: { method: string; answer(result: unknown): void; fail(): void }[] = [];
let follower: { reset?(snapshot: Snapshot): void; events(events: EventFrame[], more: boolean): void };
vi.mock('../src/lib/api.svelte.ts', () => ({
  said: String,
  feed: {
    call: (method: string) => new Promise((resolve, reject) => asked.push({ method, answer: resolve, fail: () => reject(new Error('broken')) })),
    follow: (one: typeof follower) => {
      follower = one;
      return () => {};
    },
  },
}));
const { Store } = await import('../src/lib/store.svelte.ts');
const { GoalView } = await import('../src/lib/goal-view.svelte.ts');

const goal = (status: string, updated_at: number) => ({ id: 'g', status, updated_at }) as Goal;
const ask = (id: string, status: string) => ({ id, goal_id: 'g', status }) as Escalation;
const item = (status: string, updated_at = 0) => ({ id: 'i', goal_id: 'g', status, updated_at }) as WorkItem;
const event = (name: string, data: object) => ({ type: 'event', event: name, data: { goalId: 'g', ...data } }) as unknown as EventFrame;
/** Answers the first question of this method. */
async function answer(method: string, result: unknown): Promise<void> {
  const index = asked.findIndex((one) => one.method === method);
  asked.splice(index, 1)[0]?.answer(result);
  await vi.advanceTimersByTimeAsync(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
});

test('what events told while a list was on its way is not undone by it', async () => {
  const store = new Store();
  store.start();
  follower.reset?.({ goals: [goal('active', 1)] });
  follower.events([event('escalation.created', { escalation: ask('new', 'open') }), event('escalation.resolved', { escalation: ask('old', 'resolved') })], false);
  await answer('escalation.list', { escalations: [ask('old', 'open'), ask('kept', 'open')] });
  expect([...store.asks.keys()].sort()).toEqual(['kept', 'new']);
  follower.events([event('workitem.completed', { workItem: item('done') })], false);
  await answer('workitem.byGoal', { workItems: [item('in_progress')] });
  expect(store.progress('g')).toEqual({ done: 1, total: 1 });
});

test('what ended while lists were on their way stays over', async () => {
  const store = new Store();
  store.start();
  follower.reset?.({ goals: [goal('active', 1)] });
  await answer('escalation.list', { escalations: [] });
  const over = { ...goal('completed', 5), completed_at: 5 } as Goal;
  follower.events([event('goal.completed', { goal: over })], false);
  follower.events([event('goal.updated', { goal: goal('active', 4) })], false);
  await answer('workitem.byGoal', { workItems: [item('in_progress')] });
  expect(store.goals.get('g')?.status).toBe('completed');
  expect(store.progress('g')).toBeUndefined();
});

test('an answer to a question from before everything was replaced is not taken', async () => {
  const store = new Store();
  store.start();
  follower.reset?.({ goals: [] });
  follower.reset?.({ goals: [] });
  await answer('escalation.list', { escalations: [ask('of before', 'open')] });
  expect([...store.asks.keys()]).toEqual([]);
  await answer('escalation.list', { escalations: [ask('now', 'open')] });
  expect([...store.asks.keys()]).toEqual(['now']);
});

test('what could not be read is asked for again', async () => {
  const store = new Store();
  store.start();
  follower.reset?.({ goals: [] });
  asked.find((one) => one.method === 'escalation.list')?.fail();
  asked.length = 0;
  await vi.advanceTimersByTimeAsync(5_000);
  await answer('escalation.list', { escalations: [ask('a', 'open')] });
  expect([...store.asks.keys()]).toEqual(['a']);
});

test('of very many goals those that ended long ago are dropped', () => {
  const store = new Store();
  store.start();
  follower.reset?.({ goals: [] });
  for (let n = 0; n < 2_010; n += 1) {
    follower.events([event('goal.created', { goal: { ...goal(n === 0 ? 'active' : 'completed', n), id: `g${n}`, ...(n && { completed_at: n }) } })], true);
  }
  expect(store.goals.size).toBe(2_000);
  expect(store.goals.has('g0') && store.goals.has('g2009') && !store.goals.has('g1')).toBe(true);
});

test('a goal as it stood when it was asked for does not undo what its events told', async () => {
  const view = new GoalView('g');
  follower.events([
    event('goal.completed', { goal: goal('completed', 9) }),
    event('workitem.completed', { workItem: item('done', 9) }),
    event('escalation.resolved', { escalation: ask('a', 'resolved') }),
  ], false);
  await answer('goal.status', { ...goal('active', 5), artifacts: [], escalations: [ask('a', 'open')] });
  await answer('workitem.byGoal', { workItems: [item('in_progress', 5)] });
  expect([view.goal?.status, view.items[0]?.status, view.asks.length]).toEqual(['completed', 'done', 0]);
});

test('a view that has ended takes no answer', async () => {
  const view = new GoalView('g');
  view.end();
  await answer('goal.status', { ...goal('active', 5), artifacts: [], escalations: [] });
  await answer('workitem.byGoal', { workItems: [] });
  expect(view.goal).toBeUndefined();
});

test('a connection that begins anew leaves open questions until it is known which are, and says so to who listens', async () => {
  const store = new Store();
  store.start();
  let resets = 0;
  store.hear(
    () => {},
    () => (resets += 1),
  );
  follower.reset?.({ goals: [goal('active', 1)] });
  expect(store.areAsksRead).toBe(false);
  await answer('escalation.list', { escalations: [ask('kept', 'open'), ask('gone', 'open')] });
  expect(store.areAsksRead).toBe(true);
  follower.reset?.({ goals: [goal('active', 1)] });
  expect([store.asks.size, store.areAsksRead, resets]).toEqual([2, false, 2]);
  await answer('escalation.list', { escalations: [ask('kept', 'open')] });
  expect([[...store.asks.keys()], store.areAsksRead]).toEqual([['kept'], true]);
});
