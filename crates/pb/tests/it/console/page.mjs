// A person at a browser, who does what the test says: one JSON array a line comes in, one JSON object a line goes out.
//   node page.mjs CHROMIUM WIDTH
import { createInterface } from 'node:readline';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const [executablePath, width] = process.argv.slice(2);
const WAIT_MS = 40_000;
/** How often Tab is pressed to get somewhere. */
const TABS_MAX = 200;
/** What does something. */
const DOES = 'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"])';
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const browser = await chromium.launch({ executablePath, args: flags });
const context = await browser.newContext({ viewport: { width: Number(width), height: 800 }, locale: 'en-US' });
context.setDefaultTimeout(WAIT_MS);
const errors = [];
const asked = new Set();
context.on('page', (page) => {
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('request', (request) => asked.add(new URL(request.url()).origin));
  page.on('websocket', (socket) => asked.add(new URL(socket.url()).origin.replace('ws', 'http')));
});
let page = await context.newPage();

/** What runs a script, when it is no part of another one of these. */
const RUNS = new Set(['FunctionCall', 'RunMicrotasks', 'EvaluateScript', 'v8.callFunction', 'TimerFire', 'FireAnimationFrame', 'EventDispatch']);

function frames(events) {
  const scripts = events.filter((event) => event.ph === 'X' && RUNS.has(event.name));
  const counts = new Map();
  for (const { pid, tid } of scripts) counts.set(`${pid} ${tid}`, (counts.get(`${pid} ${tid}`) ?? 0) + 1);
  const [main] = [...counts].sort((a, b) => b[1] - a[1])[0];
  const isMain = ({ pid, tid }) => `${pid} ${tid}` === main;
  const begins = events.filter((event) => isMain(event) && event.name === 'BeginMainThreadFrame').map(({ ts }) => ts).sort((a, b) => a - b);
  const spent = new Map();
  let end = 0;
  let frame = 0;
  for (const { ts, dur, tdur } of scripts.filter(isMain).sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
    if (ts < end) continue;
    end = ts + dur;
    while (frame < begins.length && begins[frame] <= ts) frame += 1;
    spent.set(frame, (spent.get(frame) ?? 0) + (tdur ?? dur) / 1000);
  }
  const sorted = [...spent.values()].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { frames: sorted.length, drawn: begins.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

const commands = {
  open: async (url) => void (await page.goto(url)),
  /** Another tab, in which everything is done from here on; and the first one again. */
  tab: async (url) => {
    page = await context.newPage();
    await page.goto(url);
  },
  /** Has what the gateway says from the next connection on be said otherwise; or as it is. */
  distort: (from = '', to = '') => page.routeWebSocket(/./, (socket) => {
    socket.connectToServer().onMessage((text) => socket.send(String(text).replace(from, to)));
  }),
  /** Takes the clock of the page in hand; and has so many milliseconds pass. */
  clock: () => page.clock.install(),
  pass: (ms) => page.clock.fastForward(ms),
  back: async () => void ([page] = context.pages()),
  reload: async () => void (await page.reload()),
  /** Waits until there is something that the selector fits and that can be seen. */
  see: async (selector) => void (await page.locator(selector).first().waitFor()),
  gone: async (selector) => void (await page.locator(selector).first().waitFor({ state: 'detached' })),
  count: (selector) => page.locator(selector).count(),
  text: (selector) => page.locator(selector).first().innerText(),
  attribute: (selector, name) => page.locator(selector).first().getAttribute(name),
  value: (selector) => page.locator(selector).first().inputValue(),
  click: (selector) => page.locator(selector).first().click(),
  fill: (selector, text) => page.locator(selector).first().fill(text),
  file: (selector, path) => page.locator(selector).first().setInputFiles(path),
  focus: (selector) => page.locator(selector).first().focus(),
  choose: async (selector, value) => void (await page.locator(selector).first().selectOption(value)),
  press: (keys) => page.keyboard.press(keys),
  /** Has the key come in the moment in which a question with this text is there, so before anybody could have read it. */
  pressOnSight: (text, key) => page.evaluate(([wanted, pressed]) => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector('article')?.textContent.includes(wanted)) return;
      observer.disconnect();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: pressed, bubbles: true, cancelable: true }));
      document.body.dataset.pressed = pressed;
    }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  }, [text, key]),
  type: (text) => page.keyboard.type(text),
  scheme: (scheme) => page.emulateMedia({ colorScheme: scheme }),
  /** What axe finds that keeps people out. */
  axe: async () => {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    return grave.map(({ id, nodes }) => ({ id, at: nodes.map(({ html, any }) => [html, any.map((one) => one.message)]) }));
  },
  /** Presses Tab until the focus is here. */
  tabTo: async (selector) => {
    const wanted = page.locator(selector).first();
    for (let n = 0; n < TABS_MAX; n += 1) {
      await page.keyboard.press('Tab');
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
    }
    throw new Error(`Tab does not reach ${selector}`);
  },
  /** Goes once round with Tab: what was reached, what does something and was not, and what did not show that it has the focus. */
  tabs: async () => {
    await page.evaluate(() => {
      document.activeElement?.blur();
      globalThis.trail = [];
      globalThis.named = (one) => one.outerHTML.slice(0, 160);
    });
    for (let n = 0; n < TABS_MAX; n += 1) {
      await page.keyboard.press('Tab');
      const isRound = await page.evaluate(() => {
        const one = document.activeElement;
        if (one === globalThis.trail[0]?.one) return true;
        // Between the last and the first.
        if (!one || one === document.body) return false;
        const style = getComputedStyle(one);
        globalThis.trail.push({ one, isShown: style.outlineStyle !== 'none' || style.boxShadow !== 'none' });
        return false;
      });
      if (isRound) break;
    }
    return page.evaluate((does) => {
      const { trail, named } = globalThis;
      const reached = new Set(trail.map(({ one }) => one));
      // Of several radio buttons that belong together, the keyboard reaches the one that is chosen.
      const isOwn = (one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0 && !(one.type === 'radio' && !one.checked);
      const missed = [...document.querySelectorAll(does)].filter((one) => isOwn(one) && !reached.has(one));
      return {
        reached: trail.map(({ one }) => named(one)),
        missed: missed.map(named),
        unseen: trail.filter(({ isShown }) => !isShown).map(({ one }) => named(one)),
      };
    }, DOES);
  },
  /** From here on it is written down what the page is busy with. */
  watchFrames: () => browser.startTracing(page, { categories: ['devtools.timeline', 'devtools.timeline.frame', 'disabled-by-default-devtools.timeline.frame'] }),
  /** What scripts took of each frame in which there were any, in milliseconds of processor time: how many frames, and the percentiles. */
  frames: async () => frames(JSON.parse((await browser.stopTracing()).toString()).traceEvents),
  /** What a script of the page sees of what it must not: cookies, and what it keeps. */
  kept: () => page.evaluate(() => ({ cookies: document.cookie, local: { ...localStorage }, session: { ...sessionStorage } })),
  say: (data) => page.evaluate((one) => postMessage(one, '*'), data),
  /** How much of the page is below what is seen, in pixels. */
  below: () => page.evaluate(() => document.documentElement.scrollHeight - innerHeight - Math.ceil(scrollY)),
  /** Scrolls there, and waits until the page has heard of it. */
  scroll: (y) => page.evaluate((to) => new Promise((done) => { addEventListener('scrollend', () => done(null), { once: true }); scrollTo(0, to); }), y),
  wider: () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
  url: async () => page.url(),
  /** What went wrong in the page, and whom it asked for anything. */
  told: async () => ({ errors, asked: [...asked].sort() }),
  shot: async (path) => void (await page.screenshot({ path })),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await commands[name](...args)) ?? null };
  } catch (error) {
    answer = { error: `${error}`, url: page.url(), errors, page: await page.locator('body').innerText().catch(() => '') };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
