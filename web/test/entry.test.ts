import { expect, test } from 'vitest';
import { Entry, type Browser } from '../src/lib/entry.ts';

const CODE = 'c'.repeat(64);
const KEY = 'a'.repeat(32);

/** A browser at this address, whose gateway answers so. */
function browser(hash: string, answer: () => Promise<Response>): Browser & { kept: Map<string, string>; asked: { method: string; headers: Record<string, string> }[] } {
  const kept = new Map<string, string>();
  const asked: { method: string; headers: Record<string, string> }[] = [];
  const location = { hash, pathname: '/', search: '' };
  return {
    kept,
    asked,
    location,
    history: { replaceState: (_data, _unused, url) => void (location.hash = url.replace(/^[^#]*/, '')) },
    localStorage: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, value) => void kept.set(key, value),
      removeItem: (key) => void kept.delete(key),
    },
    fetch: (_path, init) => {
      asked.push({ method: init.method as string, headers: init.headers as Record<string, string> });
      return answer();
    },
  };
}
const says = (status: number, body: object = {}) => async () => new Response(JSON.stringify(body), { status });

test('a code lets the browser in, and is in the address no more', async () => {
  const one = browser(`#code=${CODE}`, says(200, { key: KEY }));
  const entry = new Entry(one);
  expect(await entry.enter()).toBe('in');
  expect(one.location.hash).toBe('#/now');
  expect([...one.kept.values()]).toEqual([KEY]);
  expect(entry.protocols()).toEqual(['pb-console', `pb-key.${KEY}`]);
  await entry.mayEnter();
  expect(one.asked).toEqual([
    { method: 'POST', headers: { Authorization: `Code ${CODE}` } },
    { method: 'GET', headers: { 'Pb-Console-Key': KEY } },
  ]);
  expect(await entry.enter(), 'it is used up').toBeUndefined();
});

test('why an address lets nobody in is told', async () => {
  for (const [hash, status, obstacle] of [
    [`#code=${CODE}`, 401, 'used'],
    [`#code=${CODE}`, 429, 'throttled'],
    [`#code=${CODE}`, 403, 'other'],
    ['#code=short', 200, 'wrong'],
    [`#token=${CODE}`, 200, 'wrong'],
    ['#/goal/x', 200, undefined],
  ] as const) {
    const one = browser(hash, says(status));
    expect(await new Entry(one).enter(), hash).toBe(obstacle);
    expect(one.location.hash, hash).not.toContain('=');
  }
});

test('a code that the gateway did not look at is brought again', async () => {
  let isThere = false;
  const one = browser(`#code=${CODE}`, async () => {
    if (!isThere) throw new TypeError('network');
    return new Response(JSON.stringify({ key: KEY }));
  });
  const entry = new Entry(one);
  expect(await entry.enter()).toBe('silent');
  expect(await entry.mayEnter()).toBeUndefined();
  isThere = true;
  expect(await entry.enter()).toBe('in');
});

test('what the gateway calls wrong is not brought again, and nothing that came in its place is let go of', async () => {
  const wrong = { reason: 'wrong_cookie' };
  const alone = browser('', says(401, wrong));
  alone.kept.set('pb.key', KEY);
  expect(await new Entry(alone).mayEnter()).toBe(false);
  expect(alone.kept.size).toBe(0);

  const other = 'b'.repeat(32);
  const beside = browser('', async () => {
    beside.kept.set('pb.key', other);
    return says(401, wrong)();
  });
  beside.kept.set('pb.key', KEY);
  expect(await new Entry(beside).mayEnter()).toBe(false);
  expect(beside.kept.get('pb.key')).toBe(other);

  const unknown = browser('', says(401, { reason: 'unknown_user' }));
  unknown.kept.set('pb.key', KEY);
  expect(await new Entry(unknown).mayEnter()).toBe(false);
  expect(unknown.kept.get('pb.key')).toBe(KEY);
});

test('a browser that keeps nothing is in as long as the page is open', async () => {
  const one = browser(`#code=${CODE}`, says(200, { key: KEY }));
  const entry = new Entry({
    ...one,
    localStorage: {
      getItem: () => {
        throw new Error('no');
      },
      setItem: () => {
        throw new Error('no');
      },
      removeItem: () => {},
    },
  });
  expect(await entry.enter()).toBe('in');
  expect(entry.protocols()).toContain(`pb-key.${KEY}`);
});

test('what is kept and is no key is not offered', () => {
  const one = browser('', says(200));
  one.kept.set('pb.key', 'not a key');
  expect(new Entry(one).protocols()).toEqual(['pb-console']);
});
