// The words of the page, in the person's language. A language is a file beside this one, and a line here; those but
// English are loaded when they are wanted.
import { en, type Key } from './en.ts';

type Table = Record<Key, string>;
const others = { zh: () => import('./zh.ts').then((file): Table => file.zh) } as const;
export type Language = 'en' | keyof typeof others;
export type { Key };

const KEPT = 'pb.language';

function first(): Language {
  // A test has neither of these.
  const kept = globalThis.localStorage?.getItem(KEPT);
  if (kept === 'en' || kept === 'zh') return kept;
  return globalThis.navigator?.language.startsWith('zh') ? 'zh' : 'en';
}

class Words {
  language: Language = $state('en');
  table: Table = $state.raw(en);

  /** Changes to a language, once its words are here; stays with the one that there is if they cannot be had. */
  async set(language: Language): Promise<void> {
    const table = language === 'en' ? en : await others[language]().catch(() => undefined);
    if (!table) return;
    this.table = table;
    this.language = language;
    localStorage.setItem(KEPT, language);
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }

  /** The language that this person took the last time, or that the browser has. */
  start(): Promise<void> {
    return this.set(first());
  }
}

export const words = new Words();

/** A text in the person's language, with `{name}` replaced. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = words.table[key];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/** A word of the gateway, such as a status, in the person's language; as it is if we have none. */
export function word(group: string, value: string): string {
  const key = `${group}.${value}`;
  return key in words.table ? t(key as Key) : value.replaceAll('_', ' ');
}
