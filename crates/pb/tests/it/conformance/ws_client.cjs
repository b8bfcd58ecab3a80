// Node's library `ws` against a gateway:
//
//   ws_client.cjs checks GATEWAY_JSON TOKEN_FILE    prints a line of JSON a check, then what was closed unasked
//   ws_client.cjs follow GATEWAY_JSON COUNT         prints each event and each close, to the COUNT-th goal that completes
'use strict';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { setTimeout: pause } = require('node:timers/promises');
const WebSocket = require('ws');

const FRAME_BYTES_MAX = 16 * 1024 * 1024;
const REQUEST_BYTES_MAX = 1024 * 1024;
const LIMIT_MS = 30_000;
const PAUSE_MS = 50;

const [mode, gateway, last] = process.argv.slice(2);
// What was closed, and by nobody whom we know.
const unexpected = [];
let connections = 0;

const url = () => `ws://${JSON.parse(fs.readFileSync(gateway, 'utf8')).address}/`;
const say = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

/** A connection that we close, and nobody else. */
class Session {
  constructor(options = {}, protocols = []) {
    connections += 1;
    this.frames = [];
    this.wake = () => {};
    this.closed = null;
    this.socket = new WebSocket(url(), protocols, { maxPayload: FRAME_BYTES_MAX, ...options });
    this.socket.on('message', (data) => {
      this.frames.push(JSON.parse(data));
      this.wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = [code, String(reason)];
      this.wake();
    });
    this.socket.on('error', (error) => {
      this.error = error;
    });
  }

  static async open(options, protocols) {
    const session = new Session(options, protocols);
    assert.equal((await session.next()).event, 'connection.authenticated');
    return session;
  }

  async next() {
    while (this.frames.length === 0) {
      if (this.closed) throw new Error(`closed with ${this.closed} ${this.error ?? ''}`);
      await new Promise((resolve) => { this.wake = resolve; });
    }
    return this.frames.shift();
  }

  /** The answer to a request that is sent already. */
  async answer(id) {
    for (;;) {
      const frame = await this.next();
      if (frame.type === 'res') {
        assert.equal(frame.id, id);
        assert.ok(frame.result, JSON.stringify(frame));
        return frame.result;
      }
    }
  }

  async close(code = 1000) {
    if (this.closed) unexpected.push(this.closed);
    this.socket.close(code);
    while (!this.closed) await new Promise((resolve) => { this.wake = resolve; });
    if (this.closed[0] !== code) unexpected.push([code, 'was answered with', ...this.closed]);
  }
}

const text = (id, method = 'system.ping', params = {}) => JSON.stringify({ type: 'req', id, method, params });

const submit = (key, description) =>
  ({ title: '很大', description, success_criteria: [], idempotencyKey: `node-${key}` });

/** A request of so many bytes. */
const padded = (length) => text('p', 'system.ping', { pad: 'x'.repeat(length - text('p', 'system.ping', { pad: '' }).length) });

async function ping(session, payload) {
  const pong = once(session.socket, 'pong');
  session.socket.ping(payload);
  assert.deepEqual(Buffer.from((await pong)[0]), Buffer.from(payload));
}

const checks = {
  async text_and_binary_requests() {
    const session = await Session.open();
    session.socket.send(text('你'));
    assert.ok((await session.answer('你')).pong);
    session.socket.send(Buffer.from(text('好')), { binary: true });
    assert.ok((await session.answer('好')).pong);
    await session.close();
  },

  async fragments() {
    const session = await Session.open();
    // Each byte, so in the middle of characters too, and fragments of nothing.
    for (const binary of [false, true]) {
      session.socket.send(Buffer.alloc(0), { binary, fin: false });
      for (const byte of Buffer.from(text('中间'))) session.socket.send(Buffer.from([byte]), { binary, fin: false });
      session.socket.send(Buffer.alloc(0), { binary, fin: true });
      assert.ok((await session.answer('中间')).pong);
    }
    await session.close();
  },

  async control_frames_between_fragments() {
    const session = await Session.open();
    let last = null;
    session.socket.on('pong', (payload) => { last = String(payload); });
    const pieces = [...Buffer.from(text('乒乓'))];
    for (const [number, byte] of pieces.entries()) {
      session.socket.ping(`${number}`);
      session.socket.pong('nobody asked');
      session.socket.send(Buffer.from([byte]), { binary: false, fin: number === pieces.length - 1 });
    }
    assert.ok((await session.answer('乒乓')).pong);
    while (last !== `${pieces.length - 1}`) await once(session.socket, 'pong');
    await session.close();
  },

  async pings_of_0_and_125_bytes() {
    const session = await Session.open();
    for (const payload of [Buffer.alloc(0), Buffer.from([...Array(125).keys()]), Buffer.alloc(125, 0xff)]) {
      await ping(session, payload);
    }
    await session.close();
  },

  async compression_is_declined() {
    const session = await Session.open({ perMessageDeflate: { threshold: 0 } });
    assert.equal(session.socket.extensions, '');
    session.socket.send(text('p', 'system.ping', { pad: 'x'.repeat(10_000) }));
    assert.ok((await session.answer('p')).pong);
    await session.close();
  },

  async without_compression() {
    const session = await Session.open({ perMessageDeflate: false });
    session.socket.send(text('p'));
    assert.ok((await session.answer('p')).pong);
    await session.close();
  },

  async close_codes_are_answered() {
    for (const code of [1000, 1001, 3000, 4999]) {
      const session = await Session.open();
      session.socket.send(text('p'));
      assert.ok((await session.answer('p')).pong);
      await session.close(code);
    }
  },

  async a_request_of_1_mib() {
    const session = await Session.open();
    for (let round = 0; round < 3; round += 1) {
      session.socket.send(padded(REQUEST_BYTES_MAX));
      assert.ok((await session.answer('p')).pong);
    }
    await session.close();
  },

  async a_request_beyond_1_mib() {
    const session = await Session.open();
    session.socket.send(padded(REQUEST_BYTES_MAX + 1));
    while (!session.closed) await new Promise((resolve) => { session.wake = resolve; });
    assert.deepEqual(session.closed, [1009, 'message too big']);
  },

  async large_answers() {
    const session = await Session.open();
    for (let number = 0; number < 150; number += 1) {
      session.socket.send(text('s', 'goal.submit', submit(number, '很'.repeat(5_400))));
      assert.ok((await session.answer('s')).status);
    }
    for (let round = 0; round < 3; round += 1) {
      session.socket.send(text('l', 'goal.list', { limit: 150 }));
      const { goals } = await session.answer('l');
      assert.ok(Buffer.byteLength(JSON.stringify(goals)) > 2_000_000);
    }
    await session.close();
  },

  async requests_200_at_once() {
    const session = await Session.open();
    const ids = Array.from({ length: 200 }, (_, number) => `${number}`);
    for (const [number, id] of ids.entries()) {
      session.socket.send(number < 10 ? text(id, 'goal.submit', submit(`at-once-${id}`, '一起')) : text(id));
    }
    const came = [];
    while (came.length < ids.length) {
      const frame = await session.next();
      if (frame.type !== 'res') continue;
      assert.ok(frame.result, JSON.stringify(frame));
      came.push(frame.id);
    }
    assert.deepEqual([...came].sort((a, b) => a - b), ids);
    assert.notDeepEqual(came, ids, 'those that take long hold up the others');
    await session.close();
  },

  // This library wants one of those that it offers, and leaves without.
  async a_subprotocol_is_not_chosen() {
    const session = new Session({}, ['graphql-ws', 'chat']);
    await assert.rejects(session.next());
    assert.equal(session.error.message, 'Server sent no subprotocol');
  },

  async the_token_in_a_header() {
    const token = fs.readFileSync(last, 'utf8').trim();
    const session = await Session.open({ headers: { Authorization: `Bearer ${token}` } });
    session.socket.send(text('w', 'system.methods'));
    assert.ok((await session.answer('w')).methods.includes('token.create'));
    await session.close();
  },

  async a_wrong_token() {
    const socket = new WebSocket(url(), { headers: { Authorization: 'Bearer wrong' } });
    const [, response] = await once(socket, 'unexpected-response');
    assert.equal(response.statusCode, 401);
    assert.ok(JSON.parse(Buffer.concat(await response.toArray())).hint);
  },
};

async function check() {
  for (const [name, one] of Object.entries(checks)) {
    let failed = null;
    const late = pause(LIMIT_MS, null, { ref: false }).then(() => { throw new Error('it takes too long'); });
    try {
      await Promise.race([one(), late]);
    } catch (error) {
      failed = error.stack;
    }
    late.catch(() => {});
    say({ check: name, failed });
  }
  say({ connections, unexpected });
}

async function follow() {
  let cursor = 'start';
  let left = Number(last);
  while (left > 0) {
    await new Promise((resolve) => {
      let socket;
      try {
        socket = new WebSocket(url(), { maxPayload: FRAME_BYTES_MAX });
      } catch {
        resolve(); // The gateway is away, and its file too.
        return;
      }
      let isOpen = false;
      socket.on('open', () => {
        isOpen = true;
        socket.send(text('s', 'events.subscribe', { after: cursor }));
      });
      socket.on('message', (data) => {
        const frame = JSON.parse(data);
        if (frame.subscriptionId === undefined || left === 0) return;
        cursor = frame.cursor;
        if (frame.type !== 'event') return;
        say(frame);
        if (frame.event === 'goal.completed') left -= 1;
        if (left === 0) socket.close(1000);
      });
      socket.on('error', () => {});
      socket.on('close', (code, reason) => {
        if (isOpen && left > 0) say({ closed: [code, String(reason)] });
        resolve();
      });
    });
    await pause(PAUSE_MS);
  }
}

({ checks: check, follow })[mode]();
