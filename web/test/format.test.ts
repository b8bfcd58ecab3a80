import { expect, test } from 'vitest';
import { ago, bytes, distance, length, precise, prose, shell, usd, visible } from '../src/lib/format.ts';

test('what cannot be seen, or looks like something else, is shown as an escape', () => {
  expect(visible('a\u200bb')).toBe('a\\u{200b}b');
  expect(visible('\u202egpj.exe')).toBe('\\u{202e}gpj.exe');
  expect(visible('ｒm')).toBe('\\u{ff52}m');
  expect(visible('a\nb\t\u007f')).toBe(String.raw`a\nb\t\u{7f}`);
  expect(visible('\u{e0041}')).toBe('\\u{e0041}');
  expect(visible('检查 é 🐇')).toBe('检查 é 🐇');
});

test('prose keeps its lines, and what Chinese is written with', () => {
  expect(prose('哪一份？（周报　月报）\u202e')).toBe(String.raw`哪一份？（周报　月报）\u{202e}`);
  expect(prose('a\r\nb\tc\u001b[31m')).toBe('a\nb\tc\\u{1b}[31m');
});

test('a command is shown as one would type it', () => {
  expect(shell(['rm', '-rf', "it's", 'a b', ''])).toBe(String.raw`rm -rf 'it'\''s' 'a b' ''`);
  expect(shell(['echo', 'a\u200bb'])).toBe("echo 'a\\u{200b}b'");
});

test('figures', () => {
  expect([0, 0.004, 1.5].map(usd)).toEqual(['$0', '$0.0040', '$1.50']);
  expect([0, 999, 1500, 2_500_000].map(bytes)).toEqual(['0 B', '999 B', '1.5 kB', '2.5 MB']);
  expect([0, 9_500, 65_000, 3_700_000, 200_000_000].map(length)).toEqual(['0.0 s', '9.5 s', '1 min 5 s', '1 h 1 min', '2 d 7 h']);
  expect(ago(0, 'en')).toBe('now');
  expect([86_400_000, 7_200_000, 5_400_000].map((ms) => distance(ms, 'en'))).toEqual(['1 day', '2 hours', '90 minutes']);
  expect(distance(7_200_000, 'zh')).toMatch(/^2.?小时$/);
  expect([999, 1500].map(precise)).toEqual(['999 ms', '1.5 s']);
});
