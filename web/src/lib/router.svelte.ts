// Where the person is: `#/PANEL/ARGUMENTS…`.
function read(): string[] {
  const parts = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean);
  return parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

class Router {
  parts: string[] = $state.raw(read());
  panel: string = $derived(this.parts[0] ?? 'now');
  constructor() {
    addEventListener('hashchange', () => {
      this.parts = read();
    });
  }
}

export const router = new Router();

/** The address of a place. */
export const at = (...parts: string[]) => `#/${parts.map(encodeURIComponent).join('/')}`;

export function go(...parts: string[]): void {
  location.hash = at(...parts);
}

/** For after an answer that takes its time: it goes there, unless the person has gone elsewhere meanwhile. */
export function fromHere(): typeof go {
  const here = location.hash;
  return (...parts) => {
    if (location.hash === here) go(...parts);
  };
}
