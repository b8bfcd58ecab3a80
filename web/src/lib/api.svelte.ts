// The feed in a browser, and what every panel needs of it.
import { t } from '../i18n/index.svelte.ts';
import { CallError, LinkError } from '../calls.ts';
import { Feed, type Link } from '../feed.ts';
import { Entry, type Obstacle } from './entry.ts';

/** How long a hidden page, which draws nothing, waits before it takes what came, in milliseconds. */
const HIDDEN_FRAME_MS = 250;

/** How the connection is, for whoever shows it. */
class Shown {
  link: Link = $state.raw({ state: 'connecting', permissions: [] });
  /** Why the address did not let this browser in. */
  obstacle: Obstacle | undefined = $state();
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

const entry = new Entry(globalThis);
/** The other tabs of this browser, which come in and are locked together with this one. They tell each other no secret. */
const tabs = new BroadcastChannel('pb.entry');

// Its own origin, whatever the address of the page says.
const socketUrl = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;

export const feed = new Feed(
  {
    open: () => new WebSocket(socketUrl(), entry.protocols()),
    mayEnter: () => entry.mayEnter(),
    now: () => Date.now(),
    frame,
  },
  (link) => {
    if (link.state === 'locked' && shown.link.state !== 'locked') tabs.postMessage('locked');
    // It is in, by whatever: no address is to blame any more.
    if (link.state === 'live') shown.obstacle = undefined;
    shown.link = link;
  },
);

tabs.onmessage = ({ data }) => {
  const { state } = shown.link;
  const isIn = state === 'live' || state === 'catching_up';
  // Each finds out by itself how things are; who is about to hear that it may not come in asks anew.
  if (data === 'in' ? !isIn : state !== 'locked') feed.connect();
};

/** Lets this browser in by the code in its address, if there is one, and connects. */
export async function enter(): Promise<void> {
  const came = await entry.enter();
  shown.obstacle = came === 'in' ? undefined : came;
  if (came === 'in') tabs.postMessage('in');
  feed.connect();
}

/** Ends the access of this browser. */
export const leave = () => entry.leave();

/** Where the gateway is asked something that is no call: with what says that this page may. */
export const headers = (): Record<string, string> => entry.headers();

/** A name for something that is done once. */
export const fresh = () => crypto.randomUUID();

/** What went wrong, for people. */
export function said(error: unknown): string {
  if (error instanceof LinkError) return t(`call.${error.problem}`);
  if (error instanceof CallError) return error.hint ? `${error.message} (${error.hint})` : error.message;
  return error instanceof Error ? error.message : String(error);
}

/** Whether this browser may do what needs one of these. */
export function may(...needed: string[]): boolean {
  const has = shown.link.permissions;
  return has.includes('admin') || needed.some((one) => has.includes(one));
}
