import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The least contrast of text (WCAG 2.2, 1.4.3). */
const CONTRAST_MIN = 4.5;
const css = readFileSync(new URL('../src/tokens.css', import.meta.url), 'utf8');

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** The colours of each block of the file that has any: light, dark by the system, dark by choice. */
const themes = css
  .split(/^ *color-scheme:/m)
  .slice(1)
  .map((block) => new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((found) => [found[1] as string, found[2] as string])));

test('dark is the same, whether the system or the person says so', () => {
  expect(themes).toHaveLength(3);
  expect(themes[2]).toEqual(themes[1]);
});

test('text can be read on every ground that there is, in every theme', () => {
  for (const theme of themes) {
    for (const text of ['ink', 'ink-soft', 'ink-faint', 'accent', 'good', 'warn', 'bad']) {
      for (const ground of ['ground', 'card', 'sunk', 'accent-wash', 'good-wash', 'warn-wash', 'bad-wash']) {
        expect(contrast(theme.get(text) as string, theme.get(ground) as string), `${text} on ${ground}`).toBeGreaterThanOrEqual(CONTRAST_MIN);
      }
    }
    expect(contrast(theme.get('accent-ink') as string, theme.get('accent') as string)).toBeGreaterThanOrEqual(CONTRAST_MIN);
  }
});
