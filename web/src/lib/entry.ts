// How a browser comes in: by a code in the address, once. From then on it has a cookie, which no script reads, and this
// page keeps a key beside it. The gateway wants both: browsers send the cookies of a machine to each of its ports, but
// what a page keeps is only for its own.

/** Where the gateway tells whether a browser is in, and lets one in. */
const SESSION = '/console/session';
/** Where the key is kept. */
const KEY = 'pb.key';
/** How long the gateway may take to say something about it, in milliseconds. */
const ANSWER_MS = 8_000;
/** A code, as `pb console` puts it into the address. */
const CODE = /^#code=([0-9a-f]{64})$/;

/** Why this browser did not come in. */
export type Obstacle =
  /** The code was used, or is too old. */
  | 'used'
  /** The address is not one of `pb console`. */
  | 'wrong'
  /** Too many wrong ones came from here. */
  | 'throttled'
  /** Its connection is not known to be of the user who runs the gateway. */
  | 'other'
  /** The gateway does not answer; the code may be good yet. */
  | 'silent';

/** What of a browser is used, so that a test can put its own in place. */
export interface Browser {
  location: { hash: string; pathname: string; search: string };
  history: { replaceState(data: unknown, unused: string, url: string): void };
  localStorage: { getItem(key: string): string | null; setItem(key: string, value: string): void; removeItem(key: string): void };
  fetch(path: string, init: RequestInit): Promise<Response>;
}

/** Whether an address is meant to let a browser in; those of older versions had a token in it. */
export const isInvitation = (hash: string) => /^#(code|token)=/.test(hash);

export class Entry {
  #browser: Browser;
  /** Kept here too: a browser may refuse to keep anything. */
  #key: string | undefined;
  /** One that the gateway has not looked at yet. */
  #code: string | undefined;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Takes the code out of the address, and lets this browser in by it, or by one that was not looked at yet. */
  async enter(): Promise<'in' | Obstacle | undefined> {
    const { location, history } = this.#browser;
    if (isInvitation(location.hash)) {
      this.#code = CODE.exec(location.hash)?.[1];
      history.replaceState(null, '', `${location.pathname}${location.search}#/now`);
      if (!this.#code) return 'wrong';
    }
    return this.#code ? this.#bring(this.#code) : undefined;
  }

  async #bring(code: string): Promise<'in' | Obstacle> {
    let answer: Response;
    try {
      answer = await this.#ask('POST', { Authorization: `Code ${code}` });
      if (answer.ok) {
        const { key } = (await answer.json()) as { key: string };
        this.#code = undefined;
        this.#keep(key);
        return 'in';
      }
    } catch {
      // It may be looked at yet: whoever tries again brings it again.
      return 'silent';
    }
    if (answer.status === 429) return 'throttled';
    this.#code = undefined;
    return answer.status === 401 ? 'used' : 'other';
  }

  /** Whether this browser may come in: `undefined` while the gateway does not answer. */
  async mayEnter(): Promise<boolean | undefined> {
    const key = this.#kept();
    try {
      const answer = await this.#ask('GET', {});
      if (answer.ok) return true;
      const { reason } = (await answer.json().catch(() => ({}))) as { reason?: string };
      // It is not brought again, or it would count as a wrong one each time; another tab may have a new one by now.
      if (reason === 'wrong_cookie' && this.#kept() === key) this.#keep(undefined);
      return answer.status === 401 || answer.status === 403 ? false : undefined;
    } catch {
      return undefined;
    }
  }

  /** Ends this browser's access. */
  async leave(): Promise<void> {
    const answer = await this.#ask('DELETE', {});
    if (answer.ok || answer.status === 401) this.#keep(undefined);
    else throw new Error(`the gateway says ${answer.status}`);
  }

  /** What a WebSocket of this page offers: that it is one, and the key. */
  protocols(): string[] {
    const key = this.#kept();
    return key ? ['pb-console', `pb-key.${key}`] : ['pb-console'];
  }

  /** What a request of this page says beside its cookie. */
  headers(): Record<string, string> {
    const key = this.#kept();
    return key ? { 'Pb-Console-Key': key } : {};
  }

  /** The key, as it is now: another tab may have come in anew. */
  #kept(): string | undefined {
    try {
      const kept = this.#browser.localStorage.getItem(KEY) ?? undefined;
      // One that is none would be no name of a subprotocol, and no WebSocket would open.
      return kept && /^[0-9a-f]{32}$/.test(kept) ? kept : this.#key;
    } catch {
      return this.#key;
    }
  }

  #keep(key: string | undefined): void {
    this.#key = key;
    try {
      if (key) this.#browser.localStorage.setItem(KEY, key);
      else this.#browser.localStorage.removeItem(KEY);
    } catch {
      // Then it is in as long as this page is open.
    }
  }

  #ask(method: string, headers: Record<string, string>): Promise<Response> {
    const init = { method, headers: { ...headers, ...this.headers() }, signal: AbortSignal.timeout(ANSWER_MS) };
    return this.#browser.fetch(SESSION, init);
  }
}
