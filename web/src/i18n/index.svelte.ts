// The words of the page, in the person's language. A language is a file beside this one, and a line here.
import { en, type Key } from './en.ts';
import { zh } from './zh.ts';

export const languages = { en, zh } as const;
export type Language = keyof typeof languages;
export type { Key };

const KEPT = 'pb.language';

function first(): Language {
  // A test has neither of these.
  const kept = globalThis.localStorage?.getItem(KEPT);
  if (kept === 'en' || kept === 'zh') return kept;
  return globalThis.navigator?.language.startsWith('zh') ? 'zh' : 'en';
}

class Words {
  language: Language = $state(first());
  set(language: Language): void {
    this.language = language;
    localStorage.setItem(KEPT, language);
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }
}

export const words = new Words();

/** A text in the person's language, with `{name}` replaced. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = languages[words.language][key];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)) : text;
}

/** A word of the gateway, such as a status, in the person's language; as it is if we have none. */
export function word(group: string, value: string): string {
  const key = `${group}.${value}`;
  return key in languages[words.language] ? t(key as Key) : value.replaceAll('_', ' ');
}
