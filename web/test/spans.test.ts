import { expect, test } from 'vitest';
import type { DebugEvent } from 'rpc';
import { rowsOf, Spans, tookOf, type Span } from '../src/trace/spans.ts';

let n = 0;
function told(type: string, timestamp: number, spanId: string, parentSpanId: string | undefined, data: Record<string, unknown> = {}): DebugEvent {
  return { id: String((n += 1)), type, timestamp, source: 'test', data, spanId, ...(parentSpanId && { parentSpanId }) } as DebugEvent;
}

/** A goal that is planned, with a run that has a turn of a model, whose first call fails, and a tool. */
const GOAL: DebugEvent[] = [
  told('scheduler.goal.submitted', 0, 'goal', undefined, { title: '写周报' }),
  told('phase.started', 1, 'work', 'goal', { phase: 'execution' }),
  told('scheduler.workitem.created', 2, 'goal', undefined, { title: 'an item' }),
  told('scheduler.workitem.starting', 3, 'run', 'goal', { title: 'an item' }),
  told('scheduler.run.started', 3, 'run', 'goal', { attempt: 1, purpose: 'work' }),
  told('budget.reserved', 4, 'turn', 'run', { model: 'a/b', tokens: 900 }),
  told('llm.model.attempt', 5, 'call', 'turn', { model: 'a/b' }),
  told('llm.error', 8, 'call', 'turn', { error: 'HTTP 500', durationMs: 3 }),
  told('llm.model.attempt', 9, 'call 2', 'turn', { model: 'a/b' }),
  told('llm.response', 19, 'call 2', 'turn', { durationMs: 10, timeToFirstTokenMs: 4, response: { text: '好' } }),
  told('llm.tokens', 19, 'call 2', 'turn', { totalTokens: 70 }),
  told('budget.settled', 20, 'turn', 'run', { tokens: 70, microUsd: 500 }),
  told('phase.ended', 21, 'work', 'goal', { phase: 'execution', durationMs: 20 }),
  told('tool.invoke', 22, 'tool', 'run', { toolName: 'run_command', args: { argv: ['ls'] } }),
  told('phase.started', 25, 'work', 'goal', { phase: 'execution' }),
];

function folded(events: DebugEvent[]): Spans {
  const spans = new Spans();
  for (const event of events) spans.take(event);
  return spans;
}

const shape = (list: Span[]): string => list.map((span) => `${span.kind}:${span.name}${span.children.length > 0 ? `(${shape(span.children)})` : ''}`).join(' ');

test('events fold into a tree: phases first, then what began first', () => {
  const spans = folded(GOAL);
  const roots = spans.roots();
  expect(shape(roots)).toBe('goal:写周报(phase:execution run:an item(model:a/b(call:a/b call:a/b) tool:run_command))');
  expect(shape(spans.roots()), 'looking twice doubles nothing').toBe(shape(roots));
});

test('a phase that comes again has two stretches, and what has no end goes on', () => {
  const spans = folded(GOAL);
  expect(spans.get('work')?.stretches).toEqual([{ from: 1, to: 21 }, { from: 25, to: undefined }]);
  expect(tookOf(spans.get('work') as Span, 30)).toBe(25);
  expect(spans.get('tool')?.stretches).toEqual([{ from: 22, to: undefined }]);
});

test('what is spent is counted once, up to the goal', () => {
  const spans = folded(GOAL);
  const [goal] = spans.roots();
  expect([goal?.tokens, goal?.microUsd]).toEqual([70, 500]);
  expect(spans.get('run')?.tokens).toBe(70);
  expect([spans.get('call')?.isFailed, spans.get('call 2')?.isFailed, spans.get('call 2')?.firstTokenMs]).toEqual([true, false, 4]);
});

test('what has lost its beginning has its length from its end, and what it was part of may be gone', () => {
  const spans = folded(GOAL.slice(9));
  expect(spans.get('call 2')?.stretches).toEqual([{ from: 9, to: 19 }]);
  expect(shape(spans.roots())).toContain('tool:run_command');
});

test('lines are those that are open, or that fit with all that they are part of', () => {
  const spans = folded(GOAL);
  const roots = spans.roots();
  const lines = (filter: { text: string; kind: 'tool' | undefined }) =>
    rowsOf(spans, roots, (_, level) => level <= 1, filter).map((row) => `${row.level} ${row.span.id} ${row.place}/${row.of}`);
  expect(lines({ text: '', kind: undefined })).toEqual(['1 goal 1/1', '2 work 1/2', '2 run 2/2']);
  expect(lines({ text: 'HTTP 500', kind: undefined })).toEqual(['1 goal 1/1', '2 run 1/1', '3 turn 1/1', '4 call 1/1']);
  expect(lines({ text: '', kind: 'tool' })).toEqual(['1 goal 1/1', '2 run 1/1', '3 tool 1/1']);
  expect(lines({ text: 'nothing like it', kind: undefined })).toEqual([]);
});
