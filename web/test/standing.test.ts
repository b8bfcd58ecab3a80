import { expect, test } from 'vitest';
import type { Escalation, WorkItem } from 'rpc';
import { standing, standingOf } from '../src/lib/standing.ts';

test('what waits for a person is not shown as running', () => {
  expect(standing({ status: 'active' }, true)).toBe('asks');
  expect(standing({ status: 'active' }, false)).toBe('active');
  expect(standing({ status: 'blocked', reason: 'paused' }, true)).toBe('paused');
  expect(standing({ status: 'completed', verdict: 'partial' }, false)).toBe('partial');
  expect(standing({ status: 'failed', verdict: 'failed' }, false)).toBe('failed');
  const item = (status: string) => ({ id: 'item', status }) as WorkItem;
  const ask = [{ work_item_id: 'item' } as Escalation];
  expect(['in_progress', 'verify', 'done', 'blocked'].map((status) => standingOf(item(status), ask))).toEqual(['asks', 'asks', 'done', 'blocked']);
  expect(standingOf(item('in_progress'), [])).toBe('in_progress');
});
