// The debug events of a goal as a tree of spans: goal > phase, run > step > call (docs/TRACE.md).
import type { DebugEvent } from 'rpc';

/** What a span is of. */
export type Kind = 'goal' | 'phase' | 'run' | 'model' | 'call' | 'tool' | 'gate' | 'other';

/** A stretch of time, in milliseconds since 1970; without an end while it goes on, or where none was told. */
export interface Stretch {
  from: number;
  to: number | undefined;
}

export interface Span {
  id: string;
  parent: string | undefined;
  kind: Kind;
  /** What it is called: a title, a phase, a model, a tool, a gate. */
  name: string;
  /** A run: what for, and which attempt. */
  purpose: string | undefined;
  attempt: number | undefined;
  /** When it was; a phase may come again. */
  stretches: Stretch[];
  isFailed: boolean;
  /** Tokens and millionths of a US dollar; of a step of a model, and summed up above it. */
  tokens: number;
  microUsd: number;
  /** A call: how long its first token took, in milliseconds. */
  firstTokenMs: number | undefined;
  events: DebugEvent[];
  children: Span[];
}

/** Most of a span that is searched, in characters. */
const SEARCHED_CHARS_MAX = 20_000;

const KINDS: [string, Kind][] = [
  ['scheduler.goal.submitted', 'goal'],
  ['phase.', 'phase'],
  ['scheduler.run.', 'run'],
  ['scheduler.workitem.starting', 'run'],
  ['budget.reserved', 'model'],
  ['llm.tier.request', 'model'],
  ['llm.model.attempt', 'call'],
  ['llm.request', 'call'],
  ['tool.', 'tool'],
  ['gate.started', 'gate'],
  ['gate.ended', 'gate'],
];
const BEGINS = ['scheduler.goal.submitted', 'scheduler.run.started', 'budget.reserved', 'llm.model.attempt', 'tool.invoke', 'gate.started'];
const ENDS = [
  'scheduler.goal.completed', 'scheduler.goal.failed', 'scheduler.goal.cancelled', 'scheduler.run.completed', 'budget.settled',
  'llm.response', 'llm.error', 'tool.result', 'tool.error', 'gate.ended',
];

type Data = Record<string, unknown>;
/** What is told, by its keys. */
export const dataOf = (event: DebugEvent) => event.data as Data;
const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
const number = (value: unknown) => (typeof value === 'number' ? value : undefined);

/** When a span began and ended, over all of its stretches. */
export const fromOf = (span: Span) => span.stretches[0]?.from ?? span.events[0]?.timestamp ?? 0;
export const toOf = (span: Span) => span.stretches.at(-1)?.to;
/** How long it took, in milliseconds; up to `now` what goes on. */
export const tookOf = (span: Span, now: number) => span.stretches.reduce((sum, one) => sum + Math.max(0, (one.to ?? now) - one.from), 0);

/** Folds events, in the order in which they were told, into spans. */
export class Spans {
  #all = new Map<string, Span>();
  #texts = new WeakMap<Span, { events: number; text: string }>();
  /** The moment of the last event. */
  last = 0;

  get size(): number {
    return this.#all.size;
  }

  get(id: string): Span | undefined {
    return this.#all.get(id);
  }

  take(event: DebugEvent): void {
    if (event.spanId === undefined || event.spanId === null) return;
    this.last = Math.max(this.last, event.timestamp);
    const span = this.#span(event.spanId, event.parentSpanId ?? undefined);
    span.events.push(event);
    this.#learn(span, event);
    this.#time(span, event);
  }

  #span(id: string, parent: string | undefined): Span {
    const known = this.#all.get(id);
    if (known) return known;
    const span: Span = {
      id, parent, kind: 'other', name: '', purpose: undefined, attempt: undefined, stretches: [], isFailed: false, tokens: 0, microUsd: 0,
      firstTokenMs: undefined, events: [], children: [],
    };
    this.#all.set(id, span);
    return span;
  }

  /** What it is of, and what it came to. */
  #learn(span: Span, event: DebugEvent): void {
    const data = dataOf(event);
    if (span.kind === 'other') span.kind = KINDS.find(([name]) => event.type.startsWith(name))?.[1] ?? 'other';
    // The goal tells of its items too: those have titles of their own.
    const title = event.type === 'scheduler.goal.submitted' || event.type === 'scheduler.workitem.starting' ? text(data.title) : undefined;
    if (title !== undefined) span.name = title;
    else if (span.kind !== 'goal' && span.kind !== 'run') span.name ||= text(data.toolName) ?? text(data.name) ?? text(data.phase) ?? text(data.model) ?? '';
    span.purpose = text(data.purpose) ?? span.purpose;
    span.attempt = number(data.attempt) ?? span.attempt;
    span.firstTokenMs = number(data.timeToFirstTokenMs) ?? span.firstTokenMs;
    if (event.type === 'budget.settled') {
      span.tokens += number(data.tokens) ?? 0;
      span.microUsd += number(data.microUsd) ?? 0;
    } else if (event.type === 'llm.tokens') {
      span.tokens = number(data.totalTokens) ?? span.tokens;
    }
    if (event.type === 'gate.ended') span.isFailed = data.passed === false;
    else if (event.type === 'scheduler.run.completed') span.isFailed = data.status !== 'success';
    else if (event.type === 'scheduler.goal.failed' || event.type === 'llm.error' || event.type === 'tool.error') span.isFailed = true;
  }

  #time(span: Span, event: DebugEvent): void {
    const at = event.timestamp;
    const took = number(dataOf(event).durationMs) ?? 0;
    const current = span.stretches.at(-1);
    if (event.type === 'phase.started') {
      span.stretches.push({ from: at, to: undefined });
    } else if (event.type === 'phase.ended' || ENDS.includes(event.type)) {
      // Where its beginning is no more in the trace, its length tells when that was.
      if (!current || (event.type === 'phase.ended' && current.to !== undefined)) span.stretches.push({ from: at - took, to: at });
      else current.to ??= at;
    } else if (BEGINS.includes(event.type) && !current) {
      span.stretches.push({ from: at, to: undefined });
    }
  }

  /** The spans that are part of no other, with those below them: phases first, then what began first. */
  roots(): Span[] {
    for (const span of this.#all.values()) span.children = [];
    const roots: Span[] = [];
    for (const span of this.#all.values()) {
      const parent = span.parent === undefined ? undefined : this.#all.get(span.parent);
      (parent ? parent.children : roots).push(span);
    }
    const order = (a: Span, b: Span) => Number(b.kind === 'phase') - Number(a.kind === 'phase') || fromOf(a) - fromOf(b);
    for (const span of this.#all.values()) span.children.sort(order);
    for (const root of roots) sum(root);
    return roots.sort(order);
  }

  /** What of a span is searched, in lower case. */
  searched(span: Span): string {
    const known = this.#texts.get(span);
    if (known?.events === span.events.length) return known.text;
    const said = span.events.map((event) => `${event.type} ${JSON.stringify(event.data)}`).join(' ');
    const all = `${span.name} ${said}`.slice(0, SEARCHED_CHARS_MAX).toLocaleLowerCase();
    this.#texts.set(span, { events: span.events.length, text: all });
    return all;
  }
}

/** Tokens and money of runs and of the goal are those of what is below them; calls are counted by their step. */
function sum(span: Span): void {
  for (const child of span.children) sum(child);
  if (span.kind === 'model' || span.kind === 'call') return;
  span.tokens = span.children.reduce((all, child) => all + child.tokens, 0);
  span.microUsd = span.children.reduce((all, child) => all + child.microUsd, 0);
}

/** A line of the tree. */
export interface Row {
  span: Span;
  level: number;
  /** Its place among those beside it, and how many those are; from 1. */
  place: number;
  of: number;
  isOpen: boolean;
}

/** What is asked for: a text in any of its events, and a kind. */
export interface Filter {
  text: string;
  kind: Kind | undefined;
}

/** The lines that are shown: what is open, or, with a filter, what fits it and what that is part of. */
export function rowsOf(spans: Spans, roots: Span[], isOpen: (span: Span, level: number) => boolean, filter: Filter): Row[] {
  const parts = filter.text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const isAll = parts.length === 0 && filter.kind === undefined;
  const fits = (span: Span) =>
    (filter.kind === undefined || span.kind === filter.kind) && parts.every((part) => spans.searched(span).includes(part));
  const shown = new Set<Span>();
  const mark = (span: Span): boolean => {
    const below = span.children.map(mark).some(Boolean);
    const is = below || fits(span);
    if (is) shown.add(span);
    return is;
  };
  if (!isAll) roots.forEach(mark);
  const rows: Row[] = [];
  const add = (list: Span[], level: number) => {
    const listed = isAll ? list : list.filter((span) => shown.has(span));
    listed.forEach((span, n) => {
      const open = span.children.length > 0 && (isAll ? isOpen(span, level) : span.children.some((child) => shown.has(child)));
      rows.push({ span, level, place: n + 1, of: listed.length, isOpen: open });
      if (open) add(span.children, level + 1);
    });
  };
  add(roots, 1);
  return rows;
}
