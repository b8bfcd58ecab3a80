// What was heard of while a list was on its way. An event is as new as can be, and a list is as old as the question for it:
// what an event told meanwhile stays as it told it.

/** A list that is on its way. */
export interface Reading {
  /** Whether an event told of this one meanwhile. */
  isOld(id: string): boolean;
  /** It is here, or will not come. */
  end(): void;
}

export class Touched {
  #readings = new Set<Set<string>>();

  /** An event told of this one. */
  touch(id: string): void {
    for (const ids of this.#readings) ids.add(id);
  }

  /** A list is asked for. */
  begin(): Reading {
    const ids = new Set<string>();
    this.#readings.add(ids);
    return { isOld: (id) => ids.has(id), end: () => void this.#readings.delete(ids) };
  }
}
