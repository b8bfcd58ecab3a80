import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { en } from '../src/i18n/en.ts';
import { zh } from '../src/i18n/zh.ts';

const holes = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test('every language has the same keys', () => {
  expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
});

test('a text has the same holes in every language, and is not empty', () => {
  for (const [key, text] of Object.entries(en)) {
    const other = zh[key as keyof typeof en];
    expect(other.trim(), key).not.toBe('');
    expect(holes(other), key).toEqual(holes(text));
  }
});

/** The words of the gateway that are shown, by the type that has them, and the group of ours that they are in. */
const SHOWN = {
  GoalStatus: 'status', ItemStatus: 'status', RunStatus: 'status', Verdict: 'status', ScheduleStatus: 'status', SlotResult: 'status',
  Phase: 'phase', Lane: 'lane', Cap: 'cap', Guard: 'guard', EscalationType: 'ask', Answer: 'answer', Missed: 'missed',
} as const;

test('every word of the gateway has one in each language', () => {
  const types = readFileSync(new URL('../../docs/rpc.d.ts', import.meta.url), 'utf8');
  for (const [type, group] of Object.entries(SHOWN)) {
    const body = new RegExp(`export type ${type} =([^;]*);`).exec(types)?.[1] ?? '';
    const values = [...body.matchAll(/"(\w+)"/g)].map((found) => `${group}.${found[1]}`);
    expect(values.length, type).toBeGreaterThan(1);
    expect(values.filter((key) => !(key in en)), type).toEqual([]);
  }
});

test('every event of a goal has words, but those that are told by what was said or done', () => {
  const types = readFileSync(new URL('../../docs/rpc.d.ts', import.meta.url), 'utf8');
  const events = [...types.matchAll(/"([\w.]+)": GoalIds & /g)].map((found) => `event.${found[1]}`);
  expect(events.length).toBeGreaterThan(30);
  expect(events.filter((key) => !(key in en))).toEqual(['event.model.answered', 'event.tool.completed']);
});

test('what is Chinese has Chinese in it', () => {
  // A name that is the same everywhere.
  const names = ['gate.http'];
  expect(Object.entries(zh).filter(([key, text]) => !/\p{Script=Han}/u.test(text) && !names.includes(key))).toEqual([]);
});
