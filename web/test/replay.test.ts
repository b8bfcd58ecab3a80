import { expect, test } from 'vitest';
import type { Line } from '../src/lib/goal-view.svelte.ts';
import { changes } from '../src/replay/changes.ts';
import { markOf, placeAt, stopsAt } from '../src/replay/moments.ts';

test('changes name what they are of, rows by their ids, and not the time of each change', () => {
  const before = { goal: { status: 'active', tags: ['a'], updated_at: 1 }, runs: [{ id: 'r1', n: 1 }] };
  const after = { goal: { status: 'completed', tags: ['a', 'b'], updated_at: 2 }, runs: [{ id: 'r1', n: 2, gates: [{ step: 6, passed: true }] }, { id: 'r2' }] };
  const told = changes(before, after).map((one) => `${one.path}: ${JSON.stringify(one.before)} > ${JSON.stringify(one.after)}`);
  expect(told).toEqual([
    'goal.status: "active" > "completed"',
    'goal.tags: ["a"] > ["a","b"]',
    'runs.r1.n: 1 > 2',
    'runs.r1.gates.6: undefined > {"step":6,"passed":true}',
    'runs.r2: undefined > {"id":"r2"}',
  ]);
  expect(changes(after, after)).toEqual([]);
});

const line = (at: number, event: string, data: object = {}) => ({ at, itemId: undefined, event: { event, data } }) as unknown as Line;

test('a moment is found by its time: the last event that was not after it', () => {
  const lines = [10, 20, 20, 30].map((at) => line(at, 'goal.updated'));
  expect([0, 10, 19, 20, 29, 30, 99].map((at) => placeAt(lines, at))).toEqual([0, 0, 0, 2, 2, 3, 3]);
});

test('one jumps to decisions, failures and gates, and a gate that failed is both', () => {
  const failed = line(0, 'gate.completed', { gate: { passed: false } });
  expect([markOf(failed), stopsAt(failed, 'gate'), stopsAt(failed, 'failure')]).toEqual(['failure', true, true]);
  expect(markOf(line(0, 'evaluation.decided'))).toBe('decision');
  expect(markOf(line(0, 'model.failed'))).toBe('failure');
  expect(markOf(line(0, 'run.completed', { success: true }))).toBeUndefined();
});
