// What a person was writing: it survives going elsewhere and a reload, in its own tab.

/** Longest text that is kept, in characters. */
const KEPT_CHARS_MAX = 1_000_000;

export class Draft {
  #key: string;
  #text = $state('');

  constructor(name: string) {
    this.#key = `pb.draft.${name}`;
    this.#text = sessionStorage.getItem(this.#key) ?? '';
  }

  get text(): string {
    return this.#text;
  }
  set text(text: string) {
    this.#text = text;
    if (text !== '' && text.length <= KEPT_CHARS_MAX) {
      try {
        sessionStorage.setItem(this.#key, text);
        return;
      } catch {
        // There is no room: it stays on the page only.
      }
    }
    sessionStorage.removeItem(this.#key);
  }
}
