// What an event changed: the rows before it and after it, compared.

/** One thing that changed. */
export interface Change {
  /** Where: keys, with dots between them; rows by their ids. */
  path: string;
  /** What was there, and what is; `undefined` for nothing. */
  before: unknown;
  after: unknown;
}

/** Most changes that are told. */
export const CHANGES_MAX = 200;
/** How deep is looked; what lies deeper is told whole. */
const DEPTH_MAX = 8;
/** What changes with every event, and tells nothing. */
const NOISE = ['updated_at'];

type Fields = Map<string, unknown>;

/** What tells a row from others: its id; what a gate found, by its place in the journal. */
function idOf(row: unknown): string | undefined {
  const { id, step } = (row ?? {}) as { id?: unknown; step?: unknown };
  if (typeof id === 'string') return id;
  return typeof step === 'number' ? String(step) : undefined;
}

/** An object by its keys, and rows by their ids. */
function keyed(value: unknown): Fields | undefined {
  if (Array.isArray(value)) {
    const rows = value.map((row: unknown) => [idOf(row), row] as const);
    return rows.every((row): row is readonly [string, unknown] => row[0] !== undefined) ? new Map(rows) : undefined;
  }
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

const same = (a: unknown, b: unknown) => a === b || JSON.stringify(a) === JSON.stringify(b);

/** What is different, in the order of the keys. */
export function changes(before: unknown, after: unknown): Change[] {
  const found: Change[] = [];
  compare('', before, after, 0, found);
  return found;
}

function compare(path: string, before: unknown, after: unknown, depth: number, found: Change[]): void {
  if (found.length >= CHANGES_MAX || same(before, after)) return;
  // A list that comes or goes has rows that come or go.
  const [old, next] = [keyed(before ?? (Array.isArray(after) ? [] : before)), keyed(after ?? (Array.isArray(before) ? [] : after))];
  if (!old || !next || depth >= DEPTH_MAX) {
    found.push({ path, before, after });
    return;
  }
  for (const key of new Set([...next.keys(), ...old.keys()])) {
    if (NOISE.includes(key)) continue;
    compare(path ? `${path}.${key}` : key, old.get(key), next.get(key), depth + 1, found);
  }
}
