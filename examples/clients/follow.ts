// Follow everything that happens, through every restart of the gateway and of this program:
//
//     npm ci && npm run build
//     node dist/follow.js ~/.ponybunny/run/gateway.json /tmp/follow.cursor
//
// The second file keeps how far it came. A number after it: end after so many goals that ended.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import type { EventName, Methods, Request, ServerFrame } from '../../docs/rpc.d.ts';

const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const PAUSE_MAX_MS = 2000;
// The gateway pings each 30 s; one that is silent for longer than this is gone.
const SILENCE_MAX_MS = 75_000;
const ENDS: EventName[] = ['goal.completed', 'goal.failed', 'goal.cancelled'];

const [gateway = '', cursorFile = '', count = 'Infinity'] = process.argv.slice(2);
let left = Number(count);

/** Keeps how far we came: on the disk, whole or not at all. */
function keep(cursor: string): void {
  writeFileSync(`${cursorFile}.new`, cursor);
  renameSync(`${cursorFile}.new`, cursorFile);
}

/** Deals with a frame: first what is to be done about it, then its cursor is kept. False: subscribe anew. */
function take(frame: ServerFrame): boolean {
  if (frame.type === 'res') {
    if (frame.error) throw new Error(frame.error.message);
    const { rebase_required } = frame.result as Methods['events.subscribe']['result'];
    // The log was put back from a backup: once more from its start.
    if (rebase_required) keep('start');
    return !rebase_required;
  }
  if (frame.type === 'lag' || frame.subscriptionId === undefined) return true; // It was not asked for.
  if (frame.type === 'event') {
    if (frame.event === 'rebase_required') return false;
    process.stdout.write(`${frame.seq} ${frame.event} ${'goalId' in frame.data ? frame.data.goalId : ''}\n`);
    if (ENDS.includes(frame.event)) left -= 1;
  }
  if (frame.cursor !== undefined) keep(frame.cursor);
  return left > 0;
}

/** One connection, to its end. */
const connection = (address: string, after: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`ws://${address}/`, { maxPayload: FRAME_BYTES_MAX });
    const silence = setTimeout(() => socket.terminate(), SILENCE_MAX_MS);
    const request: Request<'events.subscribe'> = { type: 'req', id: '1', method: 'events.subscribe', params: { after } };
    socket.on('open', () => socket.send(JSON.stringify(request)));
    socket.on('message', (data) => {
      silence.refresh();
      // What comes while we close is read again, if at all.
      if (socket.readyState === WebSocket.OPEN && !take(JSON.parse(String(data)) as ServerFrame)) socket.close();
    });
    socket.on('ping', () => silence.refresh());
    socket.on('error', (error) => process.stderr.write(`${error.message}\n`));
    socket.on('close', () => resolve(clearTimeout(silence)));
  });

const read = (file: string): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

for (let wait = 50; left > 0; wait = Math.min(2 * wait, PAUSE_MAX_MS)) {
  // Where the gateway is may have changed; while it is away there may be no such file.
  const place = read(gateway);
  const began = Date.now();
  if (place !== undefined) await connection((JSON.parse(place) as { address: string }).address, read(cursorFile) ?? 'start');
  if (Date.now() - began > PAUSE_MAX_MS) wait = 50;
  if (left > 0) await pause(wait);
}
