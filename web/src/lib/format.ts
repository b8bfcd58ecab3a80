// Numbers and texts for people.

import { visible } from './visible.ts';

export { prose, visible } from './visible.ts';

/** Program and arguments as one would type them. */
export function shell(argv: string[]): string {
  return argv.map((word) => (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(word) ? visible(word) : `'${visible(word).replaceAll("'", String.raw`'\''`)}'`)).join(' ');
}

/** Makes one of each language: making them takes longer than using them. */
function perLanguage<T>(make: (lang: string) => T): (lang: string) => T {
  const made = new Map<string, T>();
  return (lang) => {
    const known = made.get(lang);
    if (known) return known;
    const fresh = make(lang);
    made.set(lang, fresh);
    return fresh;
  };
}

const numbers = perLanguage((lang) => new Intl.NumberFormat(lang));
const shortNumbers = perLanguage((lang) => new Intl.NumberFormat(lang, { notation: 'compact', maximumFractionDigits: 1 }));
const relative = perLanguage((lang) => new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' }));
const moments = perLanguage((lang) => new Intl.DateTimeFormat(lang, { dateStyle: 'medium', timeStyle: 'short' }));
const times = perLanguage((lang) => new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }));

export function usd(amount: number): string {
  if (amount === 0) return '$0';
  return amount < 0.01 ? `$${amount.toFixed(4)}` : `$${amount.toFixed(2)}`;
}

export function count(n: number, lang: string): string {
  return (n >= 100_000 ? shortNumbers : numbers)(lang).format(n);
}

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A length of time, in the two largest units that it has. */
export function length(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${Math.floor(s % 60)} s`;
  const h = Math.floor(m / 60);
  if (h < 48) return `${h} h ${m % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** A distance in the largest unit that it is a whole number of, in the person's language: `2 hours`. */
export function distance(ms: number, lang: string): string {
  const units = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]] as const;
  const [unit, of] = units.find(([, one]) => ms % one === 0) ?? (['second', 1000] as const);
  return new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'long' }).format(ms / of);
}

/** A length of time as `length` tells it, and shorter ones in milliseconds. */
export const precise = (ms: number) => (ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : length(ms));

export function ago(ms: number, lang: string): string {
  const s = Math.round(ms / 1000);
  const format = relative(lang);
  if (Math.abs(s) < 60) return format.format(-s, 'second');
  if (Math.abs(s) < 3600) return format.format(-Math.round(s / 60), 'minute');
  if (Math.abs(s) < 86_400) return format.format(-Math.round(s / 3600), 'hour');
  return format.format(-Math.round(s / 86_400), 'day');
}

export function moment(at: number, lang: string): string {
  return moments(lang).format(at);
}

export function timeOfDay(at: number, lang: string): string {
  return times(lang).format(at);
}

/** The beginning of an id, which people can tell apart. */
export const short = (id: string) => id.replace(/^[a-z]+_/, '').slice(0, 8);
