// Texts of others, with what cannot be seen, or looks like something else, as escapes. The list is the one of
// `pb-model/src/text.rs`: a test there holds it to that.
import list from './hidden.json';

/** Ranges of code points, in hex, as what stands between the brackets of a regular expression. */
const between = (ranges: string[]) => ranges.map((range) => range.split('-').map((point) => `\\u{${point}}`).join('-')).join('');

const CONTROL = String.raw`\u{0}-\u{1f}\u{7f}-\u{9f}`;
const HIDDEN = new RegExp(`[${CONTROL}${between(list.command)}]`, 'gu');
const ALLOWED = new RegExp(`[${between(list.allowedInProse)}]`, 'u');
const SHORT: Record<string, string> = { '\0': String.raw`\0`, '\t': String.raw`\t`, '\n': String.raw`\n`, '\r': String.raw`\r` };

const escape = (char: string) => SHORT[char] ?? `\\u{${(char.codePointAt(0) as number).toString(16)}}`;

/** A command, or a path: in one line, for who decides by it. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escape);
}

/** What was said or printed: with its lines, and the marks and spaces that Chinese is written with. */
export function prose(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(HIDDEN, (char) => (char === '\n' || char === '\t' || ALLOWED.test(char) ? char : escape(char)));
}
