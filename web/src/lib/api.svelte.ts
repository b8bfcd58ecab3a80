// The feed in a browser, and what every panel needs of it.
import { CallError, Feed, type Link } from '../feed.ts';

/** Where the gateway tells whether a browser is in, and lets one in. */
const SESSION = '/console/session';
/** How long a hidden page, which draws nothing, waits before it takes what came, in milliseconds. */
const HIDDEN_FRAME_MS = 250;

/** How the connection is, for whoever shows it. */
class Shown {
  link: Link = $state.raw({ state: 'connecting', permissions: [] });
}
export const shown = new Shown();

function frame(work: () => void): void {
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    work();
  };
  requestAnimationFrame(once);
  setTimeout(once, HIDDEN_FRAME_MS);
}

async function mayEnter(): Promise<boolean | undefined> {
  try {
    const answer = await fetch(SESSION);
    if (answer.ok) return true;
    return answer.status === 401 || answer.status === 403 ? false : undefined;
  } catch {
    return undefined;
  }
}

// Its own origin, whatever the address of the page says.
const socketUrl = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;

export const feed = new Feed(
  { open: () => new WebSocket(socketUrl()), mayEnter, now: () => Date.now(), frame },
  (link) => {
    shown.link = link;
  },
);

/** Takes the token out of the address, and lets this browser in by it. Why not, if the gateway says no. */
export async function enter(): Promise<string | undefined> {
  const found = /^#token=([0-9a-f]{64})$/.exec(location.hash);
  if (!found) return undefined;
  history.replaceState(null, '', `${location.pathname}#/now`);
  const answer = await fetch(SESSION, { method: 'POST', headers: { Authorization: `Bearer ${found[1]}` } });
  if (answer.ok) return undefined;
  const said = (await answer.json().catch(() => ({}))) as { error?: string };
  return said.error ?? String(answer.status);
}

/** Ends the access of this browser. */
export async function leave(): Promise<void> {
  await fetch(SESSION, { method: 'DELETE' });
}

/** A name for something that is done once. */
export const fresh = () => crypto.randomUUID();

/** What went wrong, for people. */
export function said(error: unknown): string {
  if (error instanceof CallError) return error.hint ? `${error.message} (${error.hint})` : error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Whether this browser may do what needs one of these. */
export function may(...needed: string[]): boolean {
  const has = shown.link.permissions;
  return has.includes('admin') || needed.some((one) => has.includes(one));
}
