// A program that uses docs/rpc.d.ts in every way that it is made for. It is checked, never run.

import type {
  CloseCode, CloseCodes, ErrorCode, ErrorCodes, ErrorResponse, EventFrame, EventName, Events, GateSpec, Goal, GoalSubmitParams, Method, Methods, Permission,
  Request, Response, ServerFrame,
} from "./rpc.d.ts";

declare function send(text: string): void;
declare function answer(id: string): Promise<Response | ErrorResponse>;
declare function show(...what: unknown[]): void;

let asked = 0;

/** Calls a method: what it takes and what it gives follow from its name. */
async function call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
  const id = String((asked += 1));
  send(JSON.stringify({ type: "req", id, method, params }));
  const told = await answer(id);
  if (told.error) {
    const gone: ErrorCodes["GoalNotFound"] = -32010;
    if (told.error.code === gone) throw new Error("there is none");
    throw new Error(`${told.error.message} ${told.error.data?.hint ?? ""}`);
  }
  return told.result as Methods[M]["result"];
}

/** Exactly the same type: `any` would pass for everything else. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <_ extends true>(): void => undefined;
yes<Same<Methods["goal.submit"]["result"], Goal>>();
yes<Same<Methods["goal.get"], Methods["goal.status"]>>();
yes<Same<Methods["ping"]["permission"], null>>();
yes<Same<Methods["escalation.respond"]["permission"], "write" | "approve">>();
yes<Same<Goal["completed_at"], number | undefined>>();
yes<Same<Goal["title"], string>>();
yes<Same<Goal["status"], "queued" | "active" | "blocked" | "completed" | "cancelled" | "failed">>();
yes<Same<Events["goal.completed"]["verdict"], "verified" | "partial" | "unverified" | "failed">>();
yes<Same<EventFrame<"artifact.created">["event"], "artifact.created">>();
// Names are names, not just any text.
yes<Same<string extends Method | EventName ? true : false, false>>();
yes<Same<CloseCodes[4003], "token_revoked" | "token_expired">>();
yes<Same<number extends CloseCode ? true : false, false>>();
yes<Same<number extends ErrorCode ? true : false, false>>();

const gates: GateSpec[] = [
  { kind: "file_exists", path: "a" },
  { kind: "command", argv: ["true"], expect_exit: 0, required: false, name: null },
  { kind: "json_schema", path: "a.json", schema: { type: "object" } },
];
const wanted: GoalSubmitParams = {
  title: "Say hello",
  description: "Into a file",
  items: [
    { id: "a", work: { kind: "command", argv: ["true"], effect: "idempotent" }, gates },
    { id: "b", needs: ["a"], work: { kind: "agent", prompt: "Look at it" } },
  ],
  success_criteria: [{ description: "It is there" }],
  idempotencyKey: "mine-1",
};

export async function everything(): Promise<void> {
  const pong: true | false = (await call("ping", {})).pong;
  const { methods } = await call("system.methods", {});
  const goal = await call("goal.submit", wanted);
  const { goals, total } = await call("goal.list", { limit: 10 });
  const { spec } = await call("goal.plan", { goalId: goal.id });
  // What is given may be sent again.
  await call("goal.submit", { ...spec, idempotencyKey: "mine-2" });
  await call("schedule.add", { goal: spec, timing: { kind: "every", interval_ms: 60_000 }, missed: "once" });
  const { artifacts, escalations } = await call("goal.status", { goalId: goal.id });
  for (const escalation of escalations) {
    const first = escalation.context_data.options[0];
    if (first) await call("escalation.respond", { escalationId: escalation.id, action: first.action, data: { text: "so" } });
  }
  await call("conversation.message", { message: "hello" });
  await call("token.create", { name: "phone", permissions: ["read"] });
  const debug = await call("debug.goal", { goalId: goal.id });
  const { cursor } = await call("events.subscribe", { after: "start", kinds: ["goal.*"], deltas: true });
  show(pong, methods[0], goals[0]?.title, total, artifacts.map((one) => one.file_path), debug?.goal.status, cursor);
}

/** `event` says what `data` has. */
export function take(frame: ServerFrame): string | number | undefined {
  switch (frame.type) {
    case "res":
      return frame.error ? frame.error.code : frame.id;
    case "cursor":
      return frame.cursor;
    case "lag":
      return frame.dropped;
    case "event":
      break;
    default:
      return frame satisfies never;
  }
  switch (frame.event) {
    case "goal.created":
    case "goal.failed":
      return frame.data.goal.title;
    case "workitem.started":
      return frame.data.workItem.retry_count;
    case "budget.warning":
      return frame.data.status.budget.cost.remainingUsd ?? frame.data.percent;
    case "llm.stream.chunk":
      return frame.ephemeral ? frame.data.chunk : undefined;
    case "conversation.response":
      return frame.data.taskInfo?.goalId ?? frame.data.turn.content;
    default:
      return frame.seq;
  }
}

export const requests: Request[] = [
  { type: "req", id: "1", method: "system.ping" },
  { type: "req", id: "2", method: "goal.list", params: { status: "active" } },
  { type: "req", id: "3", method: "goal.status", params: { goalId: "goal_1" } },
];

/** Which methods there are for whom. */
type For<P extends Permission> = { [M in Method]: P extends Methods[M]["permission"] ? M : never }[Method];
export const answers: For<"approve">[] = ["approval.grant", "escalation.respond", "escalation.resolve"];
