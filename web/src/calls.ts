// What is asked of the gateway, and what becomes of it when the connection breaks or nothing is answered.
//
// What changes something is done now or not at all: it never waits for a connection, or a click would have its effect
// when nobody thinks of it any more. Only when the connection breaks after it was sent is it sent again, with its
// idempotency key, so that it is done once. What only reads may wait for a while.

import type { Method, Methods, RpcError } from 'rpc';

/** Calls that may be without an answer at once. */
const CALLS_MAX = 256;
/** How long a call may wait for a connection, in milliseconds. */
const WAIT_MAX_MS = 15_000;
/** How long the answer to one that was sent may take, in milliseconds. */
const ANSWER_MAX_MS = 30_000;

type Keyed<P> = string extends keyof P ? false : 'idempotencyKey' extends keyof P ? true : false;
type Change = { [M in Method]: Keyed<Methods[M]['params']> extends true ? M : never }[Method];
/** What changes something. One that is missing here does not compile. */
const CHANGES: Record<Change, true> = {
  'approval.approve': true,
  'approval.create': true,
  'approval.deny': true,
  'approval.grant': true,
  'approval.reject': true,
  'audit.prune': true,
  'console.invite': true,
  'conversation.end': true,
  'conversation.message': true,
  'escalation.resolve': true,
  'escalation.respond': true,
  'goal.cancel': true,
  'goal.pause': true,
  'goal.prioritize': true,
  'goal.resume': true,
  'goal.retry': true,
  'goal.submit': true,
  'log.setLevels': true,
  'schedule.add': true,
  'schedule.pause': true,
  'schedule.remove': true,
  'schedule.resume': true,
  'schedule.run': true,
  'system.gc': true,
  'token.create': true,
  'token.revoke': true,
};

/** Why the gateway did not do what it was asked: it said so. */
export class CallError extends Error {
  code: number;
  hint: string | undefined;
  constructor(error: RpcError) {
    super(error.message);
    this.code = error.code;
    this.hint = error.data?.hint;
  }
}

const LINK_ERRORS = {
  offline: 'there is no connection to the gateway, so nothing was done; do it again when it is back',
  waited: 'the connection to the gateway did not come back in time',
  unknown: 'the gateway did not answer, so it is not known whether it was done; look before you do it again',
  silent: 'the gateway did not answer in time',
  locked: 'this browser may not come in; open the console again with: pb console',
  many: 'too many calls wait for the gateway',
};

/** Why a call has no answer, and whether it was done. */
export type LinkProblem = keyof typeof LINK_ERRORS;

/** A call has no answer because of the connection. */
export class LinkError extends Error {
  problem: LinkProblem;
  constructor(problem: LinkProblem) {
    super(LINK_ERRORS[problem]);
    this.problem = problem;
  }
}

/** Who hears what came of a call; before the next frame is looked at. */
export interface Answered<M extends Method> {
  done(result: Methods[M]['result']): void;
  failed(error: Error): void;
}

interface Call {
  method: Method;
  text: string;
  /** It may be sent again: it reads, or is done once whatever comes. */
  isRepeatable: boolean;
  wasSent: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  on: Answered<Method>;
}

export class Calls {
  #all = new Map<string, Call>();
  #nextId = 1;
  #send: ((text: string) => void) | undefined;
  #isLocked = false;
  #silent: (method: Method) => void;

  /** `silent` is told of calls that were sent and got no answer in time. */
  constructor(silent: (method: Method) => void) {
    this.#silent = silent;
  }

  /** Asks, or says why not. */
  ask<M extends Method>(method: M, params: Methods[M]['params'], on: Answered<M>): void {
    const refusal = this.#refusal(method);
    if (refusal) {
      on.failed(new LinkError(refusal));
      return;
    }
    const id = String(this.#nextId++);
    const key = (params as { idempotencyKey?: string }).idempotencyKey;
    const call: Call = {
      method,
      text: JSON.stringify({ type: 'req', id, method, params }),
      isRepeatable: !(method in CHANGES) || key !== undefined,
      wasSent: false,
      timer: undefined,
      on: on as Answered<Method>,
    };
    this.#all.set(id, call);
    if (this.#send) this.#sent(id, call);
    else this.#limit(id, call, WAIT_MAX_MS);
  }

  #refusal(method: Method): LinkProblem | undefined {
    if (this.#isLocked) return 'locked';
    if (!this.#send && method in CHANGES) return 'offline';
    return this.#all.size >= CALLS_MAX ? 'many' : undefined;
  }

  /** There is a connection: what waits is sent. */
  opened(send: (text: string) => void): void {
    this.#send = send;
    this.#isLocked = false;
    for (const [id, call] of this.#all) this.#sent(id, call);
  }

  /** The connection is gone. What was about it is over, and so is what may not be sent twice. */
  closed(): void {
    if (!this.#send) return; // A try that failed: the time that is left goes on.
    this.#send = undefined;
    for (const [id, call] of this.#all) {
      if (!call.wasSent) continue;
      if (/^(debug\.)?events\.(un)?subscribe$/.test(call.method)) this.#end(id, 'waited');
      else if (call.isRepeatable) this.#limit(id, call, WAIT_MAX_MS);
      else this.#end(id, 'unknown');
    }
  }

  /** This browser may not come in: nothing waits any longer. */
  locked(): void {
    this.#isLocked = true;
    for (const [id, call] of this.#all) this.#end(id, call.wasSent && call.method in CHANGES ? 'unknown' : 'locked');
  }

  /** An answer is here. */
  answered(id: string, result: unknown, error: RpcError | undefined): void {
    const call = this.#all.get(id);
    if (!call) return;
    clearTimeout(call.timer);
    this.#all.delete(id);
    if (error) call.on.failed(new CallError(error));
    else call.on.done(result as Methods[Method]['result']);
  }

  #sent(id: string, call: Call): void {
    call.wasSent = true;
    this.#limit(id, call, ANSWER_MAX_MS);
    this.#send?.(call.text);
  }

  #limit(id: string, call: Call, ms: number): void {
    clearTimeout(call.timer);
    call.timer = setTimeout(() => {
      const isConnected = this.#send !== undefined;
      if (call.wasSent && call.method in CHANGES) this.#end(id, 'unknown');
      else this.#end(id, isConnected ? 'silent' : 'waited');
      if (isConnected) this.#silent(call.method);
    }, ms);
  }

  #end(id: string, problem: LinkProblem): void {
    const call = this.#all.get(id);
    clearTimeout(call?.timer);
    this.#all.delete(id);
    call?.on.failed(new LinkError(problem));
  }
}
