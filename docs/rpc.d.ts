// The types of everything that crosses the WebSocket of PonyBunny. Written by `cargo xtask codegen`; docs/RPC.md says
// what it means. Keys, events and frames may come that are not here: let them alone.
//
//     import type { Methods, ServerFrame } from "./rpc.d.ts";

/** Who may call a method must have one of these, or `admin`; `null`: anybody may. */
export type Permission = "read" | "write" | "approve" | "admin";

/** The name of a method, or another name of one. */
export type Method = keyof Methods;

/** What you send. Parameters of which none is required may be left out. */
export type Request<M extends Method = Method> = M extends Method
    ? { type: "req"; /** Of your choice, not empty; the response carries it. */ id: string; method: M } & ({} extends Methods[M]["params"]
          ? { params?: Methods[M]["params"] | null }
          : { params: Methods[M]["params"] })
    : never;

/** The answer to a request: `R` is `Methods[M]["result"]` of the method that was called. */
export interface Response<R = unknown> {
    type: "res";
    /** The request's id. */
    id: string;
    result: R;
    error?: undefined;
}

/** The answer to a request that was refused, or could not be done. */
export interface ErrorResponse {
    type: "res";
    /** The request's id; empty when the error cannot be tied to one. */
    id: string;
    result?: undefined;
    error: RpcError;
}

/** What went wrong with a request. */
export interface RpcError {
    /** One of `ErrorCode`; more may come. */
    code: ErrorCode | (number & {});
    /** What failed, for people. */
    message: string;
    /** More: `hint` for people says what to do, ids are for programs. */
    data?: { hint?: string; [key: string]: unknown };
}

/** The number of an error. */
export type ErrorCode = ErrorCodes[keyof ErrorCodes];

/** The code with which the gateway closes a connection. */
export type CloseCode = keyof CloseCodes;

/** The name of an event. More may come: show them, or leave them. */
export type EventName = keyof Events;

/** Something that happened: `frame.event` says what, and so what `frame.data` has. One that is `legacy` may lack keys. */
export type EventFrame<E extends EventName = EventName> = E extends EventName
    ? EventKeys & { type: "event"; event: E; data: Events[E] }
    : never;

/** Where you are, when a filter has hidden everything for a while. */
export interface CursorFrame {
    type: "cursor";
    /** The cursor to resume from. */
    cursor: string;
    /** The subscription that it belongs to. */
    subscriptionId?: string;
}

/** What you did not get of the ephemeral events, because you read too slowly. */
export interface LagFrame {
    type: "lag";
    /** At most so many. */
    dropped: number;
}

/** What you are sent. Let frames of other types alone: more may come. */
export type ServerFrame = Response | ErrorResponse | EventFrame | CursorFrame | LagFrame;

/** What the frame of an event has beside its name and its data. */
export interface EventKeys {
    /** Where to resume after it. Absent in events that are in no log. */
    cursor?: string;
    /** Its number in its goal, without gaps. */
    seq?: number;
    /** The log's generation. */
    gen?: number;
    /** When it happened, in milliseconds since 1970. */
    at?: number;
    /** The subscription that it belongs to. */
    subscriptionId?: string;
    /** Whether it is in no log, and may be lost: token deltas and the output of tools. */
    ephemeral?: boolean;
    /** Whether it is of a scheduler that keeps no log: it is told once, live, and to every connection. */
    legacy?: boolean;
}

/** The numbers of the errors, by name. */
export interface ErrorCodes {
    /** the message is not JSON */
    ParseError: -32700;
    /** the message is not a request; the answer's `id` is empty */
    InvalidRequest: -32600;
    /** there is no such method */
    MethodNotFound: -32601;
    /** the parameters are wrong; the message names the key */
    InvalidParams: -32602;
    /** the gateway could not do it; nothing was accepted */
    InternalError: -32603;
    /** a session is needed */
    AuthRequired: -32001;
    /** who asks could not be found out */
    AuthFailed: -32002;
    /** the session has ended */
    AuthExpired: -32003;
    /** the session may not do this */
    PermissionDenied: -32004;
    /** too much of something at once; `data.hint` says of what */
    RateLimited: -32005;
    /** too many connections */
    ConnectionLimit: -32006;
    /** the pairing token is not valid */
    InvalidToken: -32007;
    /** the time for the challenge is over: begin again */
    ChallengeExpired: -32008;
    /** the signature is not of this key and challenge */
    SignatureInvalid: -32009;
    /** there is no such goal */
    GoalNotFound: -32010;
    /** there is no such work item */
    WorkItemNotFound: -32011;
    /** there is no such escalation */
    EscalationNotFound: -32012;
    /** there is no such run */
    RunNotFound: -32013;
    /** the goal is cancelled already */
    GoalAlreadyCancelled: -32020;
    /** somebody answered first; the message says who and what */
    EscalationAlreadyResolved: -32021;
    /** what is asked does not fit how things stand, such as cancelling what is over */
    InvalidStateTransition: -32022;
    /** the disk has too little room for new goals; new in this implementation */
    LowDisk: -32050;
    /** there is no such schedule; new in this implementation */
    ScheduleNotFound: -32051;
}

/** Why a connection is closed: the reasons, by their code. */
export interface CloseCodes {
    /** you did not answer a ping: connect again */
    1000: "heartbeat_timeout";
    /** connect again when the gateway is back */
    1001: "Server shutting down";
    /** what you sent is no WebSocket */
    1002: "malformed frame";
    /** what you sent as text is none */
    1007: "text is not UTF-8";
    /** send less at once */
    1009: "message too big";
    /** you did not say in time who you are */
    4001: "auth_timeout";
    /** your access token has ended: ask for another */
    4003: "token_revoked" | "token_expired";
    /** close connections that you do not need */
    4006: "Connection limit exceeded";
    /** you read nothing for 30 s: connect again, subscribe after your cursor, read faster */
    4008: "slow_consumer";
}

/** What each method takes and gives, and who may call it. */
export interface Methods {
    /** Tells that the gateway answers */
    "system.ping": { params: NoParams; result: SystemPingResult; permission: null };
    /** Names the gateway and its version */
    "system.info": { params: NoParams; result: SystemInfoResult; permission: null };
    /** Tells how gateway, link and goals are; to who is admin also of machine and processes */
    "system.status": { params: SystemStatusParams; result: SystemStatusResult; permission: "read" };
    /** Counts the connections of the gateway, in all and by address */
    "system.stats": { params: NoParams; result: SystemStatsResult; permission: "admin" };
    /** Names the methods that this session may call */
    "system.methods": { params: NoParams; result: SystemMethodsResult; permission: "read" };
    /** Compacts goals that ended long ago now, and not within the hour */
    "system.gc": { params: SystemGcParams; result: SystemGcResult; permission: "admin" };
    /** Shows which levels of which parts the processes write into their logs */
    "log.levels": { params: NoParams; result: LevelsResult; permission: "admin" };
    /** Changes what the running processes write into their logs, until they start anew or for good */
    "log.setLevels": { params: LogSetLevelsParams; result: LevelsResult; permission: "admin" };
    /** Begins to sign in with the key of a device that was paired before */
    "auth.hello": { params: AuthHelloParams; result: Challenge; permission: null };
    /** Begins to bind a device's key to an access token that has none */
    "auth.pair": { params: TokenParams; result: Challenge; permission: null };
    /** Ends a sign-in or a pairing with the signature of the challenge */
    "auth.verify": { params: AuthVerifyParams; result: Authenticated; permission: null };
    /** Signs in with a token that allows everything */
    "auth.token": { params: TokenParams; result: Authenticated; permission: null };
    /** Asks for a goal; it is on the disk before the answer, also while no scheduler runs */
    "goal.submit": { params: GoalSubmitParams; result: Goal; permission: "write" };
    /** Lists goals, highest priority first, then oldest first */
    "goal.list": { params: ListParams; result: ListResult; permission: "read" };
    /** Shows a goal with its artifacts and escalations */
    "goal.status": { params: GoalIdParams; result: GoalDetail; permission: "read" };
    /** Stops a goal and everything that it started */
    "goal.cancel": { params: GoalCancelParams; result: Accepted; permission: "write" };
    /** Has a goal stand still: steps under way end, nothing new starts */
    "goal.pause": { params: GoalParams; result: Accepted; permission: "write" };
    /** Has a goal go on that was paused, or that is blocked and asks for an answer */
    "goal.resume": { params: GoalResumeParams; result: Accepted; permission: "write" };
    /** Tries a goal that failed again: the items that failed, from their start */
    "goal.retry": { params: GoalParams; result: Accepted; permission: "write" };
    /** Changes which goals come first where there is not room for all */
    "goal.prioritize": { params: GoalPrioritizeParams; result: Accepted; permission: "write" };
    /** Lists questions to people, the latest first */
    "escalation.list": { params: EscalationListParams; result: EscalationListResult; permission: "read" };
    /** Gives a question with everything needed to decide */
    "escalation.get": { params: EscalationGetParams; result: Escalation; permission: "read" };
    /** Counts the questions that somebody has to answer */
    "escalation.pending": { params: NoParams; result: PendingResult; permission: "read" };
    /** Answers a question; the first answer wins, and a goal with none left goes on */
    "escalation.respond": { params: EscalationRespondParams; result: Accepted; permission: "write" | "approve" };
    /** The same as escalation.respond, with the answer one level deeper */
    "escalation.resolve": { params: EscalationResolveParams; result: Accepted; permission: "write" | "approve" };
    /** Lists what waits for a yes, or had an answer, the latest first */
    "approval.list": { params: ApprovalListParams; result: ApprovalListResult; permission: "read" };
    /** Gives an approval with everything needed to decide */
    "approval.get": { params: ApprovalGetParams; result: Approval; permission: "read" };
    /** Counts what waits for a yes */
    "approval.pending": { params: NoParams; result: PendingResult; permission: "read" };
    /** Asks a person's yes for something that the client does itself; the goal is not delivered before the answer */
    "approval.create": { params: ApprovalCreateParams; result: Approval; permission: "admin" };
    /** Says yes to what is shown, once; the first answer wins */
    "approval.grant": { params: DecideParams; result: Accepted; permission: "approve" };
    /** Says no; the agent is told, and goes on */
    "approval.deny": { params: DecideParams; result: Accepted; permission: "approve" };
    /** Reports on a goal: asked, done, proven how, not done, spent, delivered, how to undo it */
    "goal.report": { params: GoalIdParams; result: Report; permission: "read" };
    /** Shows a goal as it stood at a moment, by folding its history up to there */
    "goal.at": { params: GoalAtParams; result: GoalAtResult; permission: "read" };
    /** Writes the plan of a goal as a goal file, which can be edited and run again */
    "goal.plan": { params: GoalIdParams; result: GoalPlanResult; permission: "read" };
    /** Reads a goal file, and gives the goal as goal.submit takes it, or what is wrong and where */
    "goal.check": { params: GoalCheckParams; result: GoalCheckResult; permission: "read" };
    /** Compares a goal's folder with what was kept of it before the goal wrote; a scheduler has to run */
    "goal.diff": { params: GoalIdParams; result: GoalDiffResult; permission: "read" };
    /** Shows the journal of a goal: every step with its output */
    "goal.steps": { params: GoalIdParams; result: GoalStepsResult; permission: "read" };
    /** Has a goal run again and again, by a cron expression or at intervals */
    "schedule.add": { params: ScheduleAddParams; result: Schedule; permission: "write" };
    /** Lists schedules, oldest first */
    "schedule.list": { params: ScheduleListParams; result: ScheduleListResult; permission: "read" };
    /** Shows a schedule with its goal, its last runs and its next slots */
    "schedule.get": { params: ScheduleGetParams; result: Schedule; permission: "read" };
    /** Submits the goal of a schedule now; its slots stay where they are */
    "schedule.run": { params: ScheduleParams; result: ScheduleRunResult; permission: "write" };
    /** Has a schedule stand still: its slots pass, a goal under way goes on */
    "schedule.pause": { params: ScheduleParams; result: Accepted; permission: "write" };
    /** Has a schedule go on that was paused, or that broke, with the slots after now */
    "schedule.resume": { params: ScheduleParams; result: Accepted; permission: "write" };
    /** Ends a schedule; a goal of it that is under way goes on */
    "schedule.remove": { params: ScheduleParams; result: Accepted; permission: "write" };
    /** Says something to the worker; gives the answer, once there is one */
    "conversation.message": { params: ConversationMessageParams; result: ConversationMessageResult; permission: "write" };
    /** Gives the last turns of a conversation, oldest first; none of one that is not there */
    "conversation.history": { params: ConversationHistoryParams; result: ConversationHistoryResult; permission: "read" };
    /** Ends a conversation; its goals go on */
    "conversation.end": { params: ConversationEndParams; result: Accepted; permission: "write" };
    /** Says where a conversation stands */
    "conversation.status": { params: ConversationStatusParams; result: ConversationStatusResult; permission: "read" };
    /** Lists conversations, the one in which something was said last first */
    "conversation.list": { params: ConversationListParams; result: ConversationListResult; permission: "read" };
    /** Lists the personas, and the files of personas that cannot be read */
    "persona.list": { params: NoParams; result: PersonaListResult; permission: "read" };
    /** Gives one persona */
    "persona.get": { params: PersonaGetParams; result: Persona; permission: "read" };
    /** Names the persona of conversations that name none */
    "persona.default": { params: NoParams; result: PersonaDefaultResult; permission: "read" };
    /** Makes a code by which one browser comes in at the console, once, within a minute */
    "console.invite": { params: ConsoleInviteParams; result: ConsoleInviteResult; permission: "admin" };
    /** Makes an access token; its secret is told this once */
    "token.create": { params: TokenCreateParams; result: TokenCreateResult; permission: "admin" };
    /** Lists the access tokens, the latest first; those that ended for 30 days */
    "token.list": { params: NoParams; result: TokenListResult; permission: "admin" };
    /** Ends an access token at once, and every connection that came in by it; a repeat changes nothing */
    "token.revoke": { params: TokenRevokeParams; result: Accepted; permission: "admin" };
    /** Sends this connection, from now on, the events of this goal and not of every goal; for old clients */
    "goal.subscribe": { params: GoalIdParams; result: Success; permission: "read" };
    /** Sends no more events of a goal that goal.subscribe named; for old clients */
    "goal.unsubscribe": { params: GoalIdParams; result: Success; permission: "read" };
    /** Gives a work item */
    "workitem.get": { params: ItemParams; result: WorkItem; permission: "read" };
    /** Lists work items of one goal or of all, those of the latest goals first */
    "workitem.list": { params: WorkItemListParams; result: WorkItemListResult; permission: "read" };
    /** Lists the work items of a goal, in plan order */
    "workitem.byGoal": { params: GoalIdParams; result: WorkitemByGoalResult; permission: "read" };
    /** Lists the attempts at a work item, with what their gates found */
    "workitem.runs": { params: ItemParams; result: WorkitemRunsResult; permission: "read" };
    /** Tells what models have cost, by goal, model or day */
    "cost.summary": { params: CostSummaryParams; result: CostSummaryResult; permission: "read" };
    /** Lists who did what, the latest first */
    "audit.list": { params: AuditListParams; result: AuditResult; permission: "read" };
    /** Lists who did what about a goal, the latest first */
    "audit.byGoal": { params: AuditByGoalParams; result: AuditResult; permission: "read" };
    /** Lists who did what to one thing, the latest first */
    "audit.byEntity": { params: AuditByEntityParams; result: AuditResult; permission: "read" };
    /** Lists who did one thing, or one kind of it, the latest first */
    "audit.byAction": { params: AuditByActionParams; result: AuditResult; permission: "read" };
    /** Lists who did what between two moments, the latest first */
    "audit.byTimeRange": { params: AuditByTimeRangeParams; result: AuditResult; permission: "read" };
    /** Lists what somebody did, the latest first */
    "audit.byActor": { params: AuditByActorParams; result: AuditResult; permission: "read" };
    /** Counts the latest entries by action, thing and actor */
    "audit.stats": { params: NoParams; result: AuditStatsResult; permission: "read" };
    /** Compacts goals that ended so long ago: their results stay, who did what goes */
    "audit.prune": { params: AuditPruneParams; result: AuditPruneResult; permission: "admin" };
    /** Sends events from a cursor on, then live, without a seam */
    "events.subscribe": { params: EventsSubscribeParams; result: EventsSubscribeResult; permission: "read" };
    /** Ends a subscription of this connection */
    "events.unsubscribe": { params: EventsUnsubscribeParams; result: EventsUnsubscribeResult; permission: "read" };
    /** Shows scheduler, connections, goals, items and the latest debug events at once */
    "debug.snapshot": { params: NoParams; result: DebugSnapshotResult; permission: "admin" };
    /** Shows how the scheduler is and what it has done; null while none is connected */
    "debug.scheduler": { params: NoParams; result: DebugSchedulerResult | null; permission: "admin" };
    /** Lists who is connected */
    "debug.gateway": { params: NoParams; result: DebugGatewayResult; permission: "admin" };
    /** Shows what runs and what waits in each lane */
    "debug.lanes": { params: NoParams; result: DebugLanesResult; permission: "admin" };
    /** Lists goals, as goal.list does */
    "debug.goals": { params: ListParams; result: ListResult; permission: "admin" };
    /** Shows a goal with its items, their runs, and what was asked; null if there is none */
    "debug.goal": { params: DebugGoalParams; result: DebugGoalResult | null; permission: "admin" };
    /** Lists work items, as workitem.list does */
    "debug.workitems": { params: WorkItemListParams; result: WorkItemListResult; permission: "admin" };
    /** Lists runs of all goals, the latest first */
    "debug.runs": { params: DebugRunsParams; result: DebugRunsResult; permission: "admin" };
    /** Lists debug events, the latest first */
    "debug.events": { params: DebugEventsParams; result: DebugEventsResult; permission: "admin" };
    /** Sends debug events from a cursor on, then live; one subscription a connection */
    "debug.events.subscribe": { params: DebugEventsSubscribeParams; result: DebugEventsSubscribeResult; permission: "admin" };
    /** Ends the debug events of this connection */
    "debug.events.unsubscribe": { params: NoParams; result: DebugEventsUnsubscribeResult; permission: "admin" };
    /** Another name of `system.ping`, for old clients. */
    ping: Methods["system.ping"];
    /** Another name of `goal.status`, for old clients. */
    "goal.get": Methods["goal.status"];
    /** Another name of `goal.subscribe`, for old clients. */
    subscribe: Methods["goal.subscribe"];
    /** Another name of `goal.unsubscribe`, for old clients. */
    unsubscribe: Methods["goal.unsubscribe"];
    /** Another name of `approval.grant`, for old clients. */
    "approval.approve": Methods["approval.grant"];
    /** Another name of `approval.deny`, for old clients. */
    "approval.reject": Methods["approval.deny"];
}

/** What the `data` of each event has. */
export interface Events {
    /** a goal was accepted */
    "goal.created": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        createdBy: string;
    };
    /** something about it changed: its plan stands, it waits, it is taken over, delivered or cancelled */
    "goal.updated": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        /** of the plan */
        items?: number;
        waitsFor?: string;
        workspace?: string;
        clockJumpedMs?: number;
        epoch?: number;
        pausedBy?: string;
        resumedBy?: string;
        priority?: number;
        prioritizedBy?: string;
        reason?: string;
        cancelledBy?: string;
    };
    /** what it means was made out */
    "goal.elaborated": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        assumptions: string[];
        successCriteria: SuccessCriterion[];
    };
    /** another plan is to be made; what is done stays */
    "goal.replanning": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        why: string;
        replannedBy: string;
    };
    /** its first work begins */
    "goal.started": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        workspace: string;
        kept?: Kept;
    };
    /** every item is done; `verdict` says how well that is proven */
    "goal.completed": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        verdict: Verdict;
        summary: string;
    };
    /** it waits for a human */
    "goal.blocked": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        escalationIds: string[];
        summary: string;
    };
    /** it is over without success; `error` says why */
    "goal.failed": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        error: Error;
    };
    /** it was cancelled */
    "goal.cancelled": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        cancelledBy: string;
        reason?: string;
    };
    /** it ended long ago: the events before this one are dropped */
    "goal.compacted": GoalIds & {
        /** whole */
        goal: Goal;
        id: string;
        status: GoalStatus;
        title: string;
        /** how many were dropped */
        events: number;
    };
    /** the plan has this item, or a run added it (`added_by`) */
    "workitem.created": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
    };
    /** a run of it adds items, which are created once it is done */
    "workitem.added": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        added: AddedItem[];
    };
    /** it may start, or is tried again */
    "workitem.updated": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        retryCount?: number;
        notBefore?: number;
        error?: Error;
        superseded?: boolean;
        skippedBy?: string;
    };
    /** an attempt begins */
    "workitem.started": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        /** always empty */
        model: string;
        laneId: Lane;
    };
    /** its gates passed */
    "workitem.completed": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        verdict: Verdict;
    };
    /** no attempt is left; `error` says why */
    "workitem.failed": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        error: Error;
    };
    /** it waits for a human */
    "workitem.blocked": GoalIds & {
        /** whole */
        workItem: WorkItem;
        id: string;
        goal_id: string;
        status: ItemStatus;
        escalationId: string;
        error: Error;
    };
    /** an attempt was made a run */
    "run.started": GoalIds & {
        /** whole */
        run: Run;
    };
    /** a run goes on after a crash */
    "run.continued": GoalIds & {
        /** whole */
        run: Run;
        epoch: number;
        ranAgain: boolean;
        why: string;
    };
    /** its work is done, and not judged yet */
    "run.executed": GoalIds & {
        /** whole */
        run: Run;
    };
    /** it is over */
    "run.completed": GoalIds & {
        /** whole */
        run: Run;
        success: boolean;
        error?: Error;
    };
    /** a model is about to be asked */
    "model.requested": GoalIds & {
        step: number;
        model: string;
        reservedTokens: number;
        reservedCostUsd: number;
    };
    /** it answered */
    "model.answered": GoalIds & {
        step: number;
        model: string;
        /** its beginning */
        text: string;
        calls: ToolCall[];
        tokens: number;
        inputTokens?: number;
        outputTokens?: number;
        costUsd?: number;
        assumed: boolean;
        overrun: boolean;
        cutShort: boolean;
        durationMs: number;
    };
    /** it did not */
    "model.failed": GoalIds & {
        step: number;
        model: string;
        error: Error;
        notBefore?: number;
        tokens: number;
        costUsd?: number;
        assumed: boolean;
    };
    /** a call of a tool is over */
    "tool.completed": GoalIds & {
        step: number;
        tool: string;
        title: string;
        outcome: CallEnd;
        again: boolean;
        /** its beginning */
        found: string;
        durationMs: number;
    };
    /** a conversation goes nowhere */
    "guard.tripped": GoalIds & {
        guard: Guard;
        /** `nudge`, `drop_tool`, `other_model`, `escalate` */
        rung: string;
        tool?: string;
        found: string;
    };
    /** a conversation would not fit its model: older parts are told in short from now on */
    "conversation.condensed": GoalIds & {
        turns: number;
        /** how many of each */
        results: number;
        /** by which the next request is shorter */
        bytes: number;
    };
    /** gates begin to run */
    "verification.started": GoalIds & {
        /** whole */
        run: Run;
        probe: boolean;
    };
    /** they ran */
    "verification.completed": GoalIds & {
        /** whole */
        run: Run;
        passed: boolean;
        verdict: Verdict;
        summary: string;
        recheck: boolean;
    };
    /** one of them ran */
    "gate.completed": GoalIds & {
        /** with its evidence */
        gate: GateResult;
    };
    /** an attempt was not enough: what is done now */
    "evaluation.decided": GoalIds & {
        /** `retry`, `switch_model`, `replan`, `escalate`, `give_up` */
        decision: string;
        detail: Evaluation;
        reason: string;
    };
    /** a human said that its gates count, though the goal changed what decides them */
    "gate.approved": GoalIds & {
        /** whole */
        run: Run;
        /** paths */
        edited: string[];
        approvedBy: string;
    };
    /** a human is asked */
    "escalation.created": GoalIds & {
        /** whole */
        escalation: Escalation;
        escalationId: string;
        id: string;
        goal_id: string;
        status: string;
        type: EscalationType;
    };
    /** a human answered */
    "escalation.resolved": GoalIds & {
        /** whole */
        escalation: Escalation;
        escalationId: string;
        id: string;
        goal_id: string;
        status: string;
        action: Answer;
        resolvedBy: string;
        raised?: Raised;
        text?: string;
        /** by the ids of the questions */
        answers: { [key: string]: string };
        expired: boolean;
    };
    /** a call waits for a yes */
    "approval.requested": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
    };
    /** somebody said yes */
    "approval.granted": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
        grantedBy: string;
        conditions?: string;
    };
    /** somebody said no */
    "approval.denied": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
        deniedBy: string;
        reason?: string;
    };
    /** nobody said yes in time */
    "approval.expired": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
    };
    /** the call may be made now, and is */
    "approval.used": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
    };
    /** what would run is not what the yes was for, or nobody wants it any more */
    "approval.voided": GoalIds & {
        /** whole */
        escalation: Escalation;
        approvalId: string;
        id: string;
        goal_id: string;
        /** of the escalation */
        status: string;
        requestType: string;
        description: string;
    };
    /** 70 % or 90 % of a cap is used; told once each */
    "budget.warning": GoalIds & {
        /** `warning`, `critical` */
        level: string;
        cap: Cap;
        percent: number;
        status: BudgetStatus;
    };
    /** a cap is reached; a human is asked */
    "budget.exceeded": GoalIds & {
        cap: Cap;
        status: BudgetStatus;
    };
    /** a file was delivered, or `partial`: it is what a goal had made that fails */
    "artifact.created": GoalIds & {
        /** whole */
        artifact: Artifact;
    };
    /** a schedule was accepted */
    "schedule.created": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
    };
    /** a slot was claimed, and its goal submitted in the same commit */
    "schedule.claimed": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        slot: number;
        goalId: string;
    };
    /** a person had it run at once */
    "schedule.ran": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        goalId: string;
        by: string;
    };
    /** slots were not run */
    "schedule.skipped": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        first: number;
        last: number;
        count: number;
        /** `missed`, `running` */
        why: SkipReason;
    };
    /** its goal was delivered */
    "schedule.succeeded": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        goalId: string;
    };
    /** its goal was not */
    "schedule.failed": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        goalId: string;
        error?: string;
    };
    /** a person stopped its goal */
    "schedule.cancelled": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        goalId: string;
    };
    /** its goals failed too often in a row; a person looks */
    "schedule.broke": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        goalId?: string;
        reason: string;
    };
    /** it stands still */
    "schedule.paused": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        by: string;
    };
    /** it goes on */
    "schedule.resumed": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        by: string;
    };
    /** it is no more */
    "schedule.removed": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        by: string;
    };
    /** the events before this one are dropped */
    "schedule.compacted": ScheduleIds & {
        schedule: Schedule;
        status: ScheduleStatus;
        title: string;
        /** how many were dropped */
        events: number;
    };
    /** a conversation began */
    "conversation.started": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        personaId: string;
        workspace?: string;
        by: string;
    };
    /** a person said something */
    "conversation.message": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        turn: Turn;
    };
    /** a model is asked for the answer */
    "conversation.requested": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        model: string;
        n: number;
    };
    /** the call failed */
    "conversation.failed": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        model: string;
        n: number;
        error: string;
        /** it is made again */
        again: boolean;
    };
    /** the answer, or why there is none */
    "conversation.response": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        turn: Turn;
        model?: string;
        goalId?: string;
        taskInfo?: TaskInfo;
        /** a goal */
        cancels?: string;
    };
    /** news of a goal that was made in the conversation: its plan, its question */
    "task.narration": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        turn: Turn;
        goalId: string;
    };
    /** such a goal has ended */
    "task.result": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        turn: Turn;
        goalId: string;
        result: GoalStatus;
    };
    /** a conversation is over */
    "conversation.ended": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        by: string;
    };
    /** the events before this one are dropped */
    "conversation.compacted": ConversationIds & {
        state: string;
        status: SessionStatus;
        hasTask: boolean;
        /** the last turn that has its answer */
        answered: number;
        /** how many were dropped */
        events: number;
    };
    /** a model was asked */
    "llm.stream.start": RunDeltaIds & {
        model: string;
    };
    /** a piece of its answer or reasoning */
    "llm.stream.chunk": RunDeltaIds & {
        chunk: string;
        /** from 0 */
        index: number;
        /** `text` or `thought` */
        kind: string;
    };
    /** its answer is whole */
    "llm.stream.end": RunDeltaIds & {
        totalChunks: number;
        tokensUsed?: number;
        finishReason?: string;
    };
    /** it will not become whole */
    "llm.stream.error": RunDeltaIds & {
        error: string;
    };
    /** a piece of what a tool prints */
    "tool.output": RunDeltaIds & {
        tool: string;
        chunk: string;
        /** from 0 */
        index: number;
    };
    /** a model was asked in a conversation */
    "conversation.stream.start": TalkDeltaIds & {
        model: string;
    };
    /** a piece of its answer or reasoning */
    "conversation.stream.chunk": TalkDeltaIds & {
        chunk: string;
        /** from 0 */
        index: number;
        /** `text` or `thought` */
        kind: string;
    };
    /** the answer is whole */
    "conversation.stream.end": TalkDeltaIds & {
        totalChunks: number;
        tokensUsed?: number;
        finishReason?: string;
    };
    /** it will not become whole */
    "conversation.stream.error": TalkDeltaIds & {
        error: string;
    };
    /** you are let in */
    "connection.authenticated": {
        sessionId: string;
        permissions: string[];
    };
    /** the log, or the trace, was replaced: the subscription has ended */
    rebase_required: {
        /** `debug`, if it is of debug events */
        channel?: string;
    };
    /** a debug event; only after `debug.events.subscribe` */
    debug: {
        /** `debug` */
        channel: string;
        event: DebugEvent;
        timestamp: number;
    };
}

/** What every event of a goal has. */
export interface GoalIds {
    goalId: string;
    workItemId?: string;
    runId?: string;
    /** milliseconds since 1970 */
    timestamp: number;
}

/** What every event of a schedule has. */
export interface ScheduleIds {
    scheduleId: string;
    /** milliseconds since 1970 */
    timestamp: number;
}

/** What every event of a conversation has. */
export interface ConversationIds {
    sessionId: string;
    /** milliseconds since 1970 */
    timestamp: number;
}

/** What every piece has of what a model or a tool says in a run. */
export interface RunDeltaIds {
    /** the call that it is a piece of */
    requestId: string;
    goalId: string;
    workItemId?: string;
    runId: string;
    /** milliseconds since 1970 */
    timestamp: number;
}

/** What every piece has of an answer in a conversation. */
export interface TalkDeltaIds {
    /** the call that it is a piece of */
    requestId: string;
    /** the same by its older name */
    streamId: string;
    sessionId: string;
    /** milliseconds since 1970 */
    timestamp: number;
}

/** The goal does what was asked; a cancellation is under way. */
export interface Accepted {
    /** Always true. */
    success: boolean;
    /** Whether it waits in the inbox for a scheduler. */
    waiting?: boolean;
}

/** An item that a run adds to its goal. */
export interface AddedItem {
    /** Its key. */
    id: string;
    /** One line. */
    title: string;
}

/** What a human answers. */
export type Answer =
    /** Try it again: what hindered it is mended, or repeating it is safe. */
    | "retry"
    /** Go on without it: it is done already, or not needed. */
    | "skip"
    /** Raise the cap, and try it again. */
    | "raise"
    /** Deliver what is done, and leave the rest. */
    | "finish"
    /** Cancel the goal. */
    | "cancel"
    /** Yes to what is shown. */
    | "approve"
    /** No to what is shown. */
    | "deny"
    /** The answers to what is asked, or a text. */
    | "user_input"
    /** Do it another way, which a text describes. */
    | "alternative_approach";

/** A question that waits for a yes, as the first implementation's clients know it (`wire.md` §2.6). */
export interface Approval {
    /** Its id, which is the escalation's. */
    id: string;
    /** The goal. */
    goalId: string;
    /** The item. */
    workItemId?: string;
    /** The run. */
    runId?: string;
    /** `tool_execution`, `external_action` for a plan or a gate, or what a client called it that asked. */
    requestType: string;
    /** One line. */
    description: string;
    /** Everything needed to decide. */
    details: ApprovalDetails;
    /** `pending`, `approved` or `denied`; more is in `details.approval`. */
    status: string;
    /** When it was asked, in milliseconds since 1970. */
    createdAt: number;
    /** When it was answered. */
    resolvedAt?: number;
    /** Who answered. */
    resolvedBy?: string;
}

/** What a yes is asked for. */
export interface ApprovalCreateParams {
    /** The goal that it belongs to, or a part of its id. */
    goalId: string;
    /** What kind of thing it is, in the client's words; at most 64 bytes. */
    requestType: string;
    /** What it is, for the person; at most 1 KiB. */
    description: string;
    /** The item that it is about. */
    workItemId?: string | null;
    /** The run that it is about. */
    runId?: string | null;
    /** What else the person should see; at most 16 KiB. */
    details?: unknown;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** Everything needed to decide, and what was said then. */
export interface ApprovalDetails {
    /** Its id. */
    id: string;
    /** When it was raised. */
    created_at: number;
    /** The goal. */
    goal_id: string;
    /** The item; empty when it is about the goal as a whole. */
    work_item_id: string;
    /** The run. */
    run_id?: string;
    /** Which kind of question it is. */
    escalation_type: EscalationType;
    /** `high`. */
    severity: string;
    /** `open` or `resolved`. */
    status: string;
    /** One line. */
    title: string;
    /** Why it stopped. */
    description: string;
    /** Everything needed to decide. */
    context_data: Packet;
    /** When it is answered by itself, and with which of the options. */
    expiry?: Expiry;
    /** The call that needs a yes, and where that stands. */
    approval?: ApprovalState;
    /** What was answered. */
    resolution_action?: Answer;
    /** The words and answers that came with it. */
    resolution_data?: ResolutionData;
    /** Who answered. */
    resolved_by?: string;
    /** When, in milliseconds since 1970. */
    resolved_at?: number;
    /** The words that came with a yes. */
    approvalConditions?: string;
    /** The words that came with a no. */
    denialReason?: string;
}

/** Which approval. */
export interface ApprovalGetParams {
    /** The approval's id. */
    approvalId: string;
}

/** Which approvals. */
export interface ApprovalListParams {
    /** Only those about this goal. */
    goalId?: string | null;
    /** `pending` for those that somebody has to answer, `approved` or `denied` for the others. */
    status?: string | null;
    /** At most so many; 50 if absent, 500 at most. */
    limit?: number | null;
    /** After so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
}

/** A page of approvals. */
export interface ApprovalListResult {
    /** The page. */
    approvals: Approval[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** A call that needs a yes (`security.md` 13). */
export interface ApprovalState {
    /** `pending`, `granted`, `denied`, `expired`, `used` or `void`. */
    status: ApprovalStatus;
    /** The tool. */
    tool: string;
    /** Program and arguments; empty for a tool that runs nothing. */
    argv?: string[];
    /** The arguments of a tool that runs nothing. */
    arguments?: string;
    /** The folder that it runs in. */
    cwd?: string;
    /** The names of the variables that it is given. */
    env?: string[];
    /** Digest of the program and of each file that the arguments name (blake3, hex), by path. */
    files?: { [key: string]: string };
    /** Digest of all that the yes is for (blake3, hex). */
    binding: string;
}

/** Where an approval stands. */
export type ApprovalStatus =
    /** Nobody has decided. */
    | "pending"
    /** Somebody said yes; the call may be made once. */
    | "granted"
    /** Somebody said no. */
    | "denied"
    /** Nobody decided in time, or the yes was not used in time. */
    | "expired"
    /** The call was made. */
    | "used"
    /** What the yes was for is not what would run, or the work that wanted it has ended. */
    | "void";

/** A file that a goal delivered, or had made when it failed. */
export interface Artifact {
    /** Its id. */
    id: string;
    /** When it was recorded. */
    created_at: number;
    /** The goal. */
    goal_id: string;
    /** Always `file`. */
    storage_type: string;
    /** Its path, relative to the workspace. */
    file_path: string;
    /** Its digest (blake3). */
    content_hash: string;
    /** Its size. */
    size_bytes: number;
    /** Whether the goal changed a file that was there before. */
    changed: boolean;
    /** Whether it was not delivered: the goal failed, and this is what it had made. */
    partial?: boolean;
    /** Whether the file was there before and is gone; size and digest are those that it had. */
    removed?: boolean;
}

/** Whether a person is asked when the goal can be read in more than one way. */
export type Ask =
    /** Only when the answer changes the plan. */
    | "unclear"
    /** Never: what is unclear is assumed, and told. */
    | "never";

/** What was asked. */
export interface Asked {
    /** The person's words. */
    description: string;
    /** How one will know. */
    criteria: SuccessCriterion[];
    /** Who asked. */
    by: string;
}

/** One attempt. */
export interface Attempt {
    /** Which, from 1. */
    attempt: number;
    /** When it started. */
    at: number;
    /** How it ended. */
    outcome: string;
}

/** Of which action. */
export interface AuditByActionParams {
    /** Exactly this one, such as `goal.created`. */
    action?: string | null;
    /** All that begin so, such as `run.`. */
    actionPrefix?: string | null;
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** By whom. */
export interface AuditByActorParams {
    /** Who, as `actor` of an entry says it. */
    actor?: string;
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** Of which thing. */
export interface AuditByEntityParams {
    /** `goal`, `work_item`, `run`, `artifact`, `escalation`, `permission` or `tool`. */
    entityType?: string;
    /** Its id. */
    entityId?: string;
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** Of which goal. */
export interface AuditByGoalParams {
    /** Its id, or a part of that which no other has. */
    goalId?: string;
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** Of when. */
export interface AuditByTimeRangeParams {
    /** From this moment on, in milliseconds since 1970. */
    from?: number;
    /** Up to this one, which is in it. */
    to?: number;
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** Who did what to what. Keys as the first implementation wrote them. */
export interface AuditEntry {
    /** The event's id: the same each time. */
    id: string;
    /** When, in milliseconds since 1970. */
    timestamp: number;
    /** Who: a person or program as commands name it, or `scheduler`. */
    actor: string;
    /** `user` or `scheduler`. */
    actor_type: string;
    /** What, such as `run.started`. */
    action: string;
    /** What it was done to: `goal`, `work_item`, `run`, `tool`, `artifact`, `escalation` or `permission`. */
    entity_type: string;
    /** Its id. */
    entity_id: string;
    /** The goal. */
    goal_id?: string;
    /** The work item. */
    work_item_id?: string;
    /** The run. */
    run_id?: string;
    /** The status after it, where there is one. */
    new_value?: string;
    /** What clients were told when it happened. */
    metadata?: unknown;
}

/** Which page. */
export interface AuditListParams {
    /** At most so many entries; 100 if absent, 1,000 at most. */
    limit?: number | null;
    /** Without the first so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. */
    cursor?: string | null;
}

/** How long ago. */
export interface AuditPruneParams {
    /** Goals that ended before so many days; 1 at least. */
    olderThanDays: number;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** What is compacted, beginning now. A scheduler that ends meanwhile leaves the rest: ask again. */
export interface AuditPruneResult {
    /** How many events go. */
    deleted: number;
    /** Of how many goals; 1,000 at most, the rest at the next call. */
    goals: number;
    /** Whether it waits for a scheduler. */
    waiting?: boolean;
}

/** A page. */
export interface AuditResult {
    /** The latest first. */
    logs: AuditEntry[];
    /** How many are on this page: to count all of them, the whole log would have to be read. */
    total: number;
    /**
     * Where the next page begins; absent on the last one. A page may be short, even empty, and not the last:
     * where little fits, a call looks at so much of the log and no more.
     */
    nextCursor?: string;
}

/** Counts. */
export interface AuditStatsResult {
    /** How many entries were counted. */
    total: number;
    /** By action. */
    by_action: { [key: string]: number };
    /** By what they are about. */
    by_entity_type: { [key: string]: number };
    /** By whether a person or a process did it. */
    by_actor_type: { [key: string]: number };
    /** When the first of them was, in milliseconds since 1970. */
    oldest_timestamp?: number;
    /** When the last of them was. */
    newest_timestamp?: number;
    /** Whether everything in the log was counted; else only the latest. */
    complete: boolean;
}

/** Whose key it is. */
export interface AuthHelloParams {
    /** The device's public key (Ed25519): 64 hex digits. */
    publicKey?: string;
}

/** The proof. */
export interface AuthVerifyParams {
    /** The signature of the challenge's 32 bytes (Ed25519): 128 hex digits. */
    signature?: string;
    /** The device's public key; needed after `auth.pair`, ignored after `auth.hello`. */
    publicKey?: string | null;
}

/** Who the connection belongs to now. */
export interface Authenticated {
    /** Always true; failures are errors. */
    success: boolean;
    /** The session's name: 32 hex digits. */
    sessionId: string;
    /** What the token allows that was proved. A connection that was let in before and may do more keeps that. */
    permissions: string[];
}

/** The caps of a goal and what is used of them. */
export interface BudgetCaps {
    /** Tokens. */
    tokens: BudgetTokens;
    /** Running time. */
    time: BudgetTime;
    /** Money. */
    cost: BudgetCost;
}

/** US dollars; null where there is no cap. */
export interface BudgetCost {
    /** The cap. */
    limitUsd: number | null;
    /** Used. */
    spentUsd: number;
    /** Left. */
    remainingUsd: number | null;
}

/** How a goal stands to its caps (`wire.md` §3.1). */
export interface BudgetStatus {
    /** The goal. */
    goalId: string;
    /** Cap by cap. */
    budget: BudgetCaps;
    /** `warning`, `critical` or `exceeded`. */
    warningLevel: string;
}

/** Minutes of running time; null where there is no cap. */
export interface BudgetTime {
    /** The cap. */
    limitMinutes: number | null;
    /** Used, rounded up. */
    spentMinutes: number;
    /** Left. */
    remainingMinutes: number | null;
}

/** Tokens; null where there is no cap. */
export interface BudgetTokens {
    /** The cap. */
    limit: number | null;
    /** Used. */
    spent: number;
    /** Left. */
    remaining: number | null;
}

/** What is known of the end of a call. */
export type CallEnd =
    /** It did what it was asked to. */
    | "ok"
    /** It did not, and the model is told. */
    | "failed"
    /** It was not made: an earlier attempt made the same call, and its effect is unsafe. */
    | "withheld"
    /** It ended the attempt: the model says that it is done. */
    | "finished"
    /** It could not be made: the machine failed. */
    | "host"
    /** Nobody knows. */
    | "unknown"
    /** It was not made, and waits for a person. Never told: it has not ended. */
    | "asks";

/** A cap, in words for people. */
export type Cap =
    /** Tokens. */
    | "tokens"
    /** Money. */
    | "cost"
    /** Answers of models. */
    | "turns"
    /** Running time. */
    | "time"
    /** The item's share of the goal's tokens or money, or its own caps. */
    | "share"
    /** How long the item's models and tools may run. */
    | "item_time"
    /** What one call may cost. */
    | "call"
    /** What all goals may spend in a day. */
    | "day"
    /** The goal's deadline. */
    | "deadline"
    /** Room for events. */
    | "history";

/** What a scheduler works with. */
export interface Capabilities {
    /** The models that it found. */
    models: CapableModel[];
    /** Whom they are of. */
    providers: CapableProvider[];
    /** How many there are. */
    summary: CapabilitySummary;
}

/** How many there are. */
export interface CapabilitySummary {
    /** Models. */
    totalModels: number;
    /** Providers. */
    totalProviders: number;
}

/** A model. */
export interface CapableModel {
    /** Its whole name: provider, slash, model. */
    name: string;
    /** Its name without the provider. */
    displayName: string;
    /** The providers that serve it. */
    endpoints: string[];
}

/** A provider of models. */
export interface CapableProvider {
    /** Its name. */
    name: string;
    /** Always true: others are not told. */
    enabled: boolean;
}

/** What is to be signed. */
export interface Challenge {
    /** 32 random bytes as 64 hex digits. The bytes are signed, not the digits. It is good for 30 s, once. */
    challenge: string;
}

/** One way on. */
export interface Choice {
    /** Its name. */
    action: string;
    /** What it means. */
    label: string;
}

/** How many connections there are. */
export interface ConnectionCounts {
    /** `WebSocket` and event stream. */
    total: number;
    /** Those that said who they are. */
    authenticated: number;
    /** Those that did not yet. */
    pending: number;
}

/** How many connections there are. */
export interface ConnectionStats {
    /** Both kinds: `WebSocket` and event stream. */
    total: number;
    /** Those that said who they are. */
    authenticated: number;
    /** Those that did not yet. */
    pending: number;
    /** As `authenticated`. */
    totalSessions: number;
    /** As `pending`. */
    pendingConnections: number;
    /** From how many addresses they come. */
    uniqueIps: number;
    /** How many from each; those of this machine are one. */
    connectionsByIp: { [key: string]: number };
}

/** How many WebSocket and event-stream connections there are. */
export interface Connections {
    /** All of them. */
    total: number;
    /** Those that said who they are. */
    authenticated: number;
    /** Those that did not yet. */
    pending: number;
    /** How many from each address; those of this machine are one. Told to who is admin. */
    byIp?: { [key: string]: number };
}

/** What the browser is to be given: an access token with the name `console`. */
export interface ConsoleInviteParams {
    /** What it may do: `read`, `write`, `approve`, `admin`. All may read; no more than the caller may. */
    permissions?: string[];
    /** When its access ends by itself, in milliseconds since 1970; never if absent. */
    expiresAt?: number | null;
    /** The same key gives the same code. */
    idempotencyKey?: string | null;
}

/** The code. */
export interface ConsoleInviteResult {
    /** 64 hex digits, good once. Only their digest is kept, in memory. */
    code: string;
    /** When it ends unused, in milliseconds since 1970. */
    codeEndsAt: number;
    /** What the browser will be allowed. */
    permissions: string[];
    /** When that ends by itself. */
    expiresAt?: number;
}

/** A run that a later incarnation of the scheduler took over. */
export interface Continuation {
    /** The incarnation. */
    epoch: number;
    /** When. */
    at: number;
    /** Whether its command was run again. */
    ran_again: boolean;
    /** Why. */
    why: string;
}

/** A conversation, in a list. */
export interface Conversation {
    /** Its id. */
    sessionId: string;
    /** In whose voice it is held. */
    personaId: string;
    /** `idle`, `chatting`, `clarifying`, `executing`, `monitoring` or `reporting`. */
    state: string;
    /** How many turns it has. */
    turnCount: number;
    /** What the person said last, cut. */
    about: string;
    /** When it began, in milliseconds since 1970. */
    createdAt: number;
    /** When something was said last. */
    updatedAt: number;
    /** Whether it has ended. */
    ended?: boolean;
}

/** Which conversation. */
export interface ConversationEndParams {
    /** The conversation. */
    sessionId: string;
    /** The same key ends it once. */
    idempotencyKey?: string | null;
}

/** Of which conversation. */
export interface ConversationHistoryParams {
    /** The conversation. */
    sessionId: string;
    /** At most so many turns; all that are kept if absent, which is at most 200. */
    limit?: number | null;
}

/** What was said. */
export interface ConversationHistoryResult {
    /** The turns. */
    turns: Turn[];
}

/** Which conversations. */
export interface ConversationListParams {
    /** Also those that have ended. */
    ended?: boolean;
    /** At most this many; 50 if absent, 500 at most. */
    limit?: number | null;
    /** After this many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
}

/** The conversations. */
export interface ConversationListResult {
    /** A page of them. */
    conversations: Conversation[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** What is said. */
export interface ConversationMessageParams {
    /** In words; at most 32 KiB. */
    message?: string;
    /** In which conversation. Absent, or one that is not there any more: a new one begins. */
    sessionId?: string | null;
    /** In whose voice a new one is held; the default persona's if absent. */
    personaId?: string | null;
    /** The folder, an absolute path, in which goals of a new one work; each has its own if absent. */
    workspace?: string | null;
    /** Files; none are taken yet. */
    attachments?: unknown[];
    /** Whether the caller hears the answer as it comes (`conversation.stream.*`); who subscribes with `deltas` does. */
    stream?: boolean | null;
    /** Whether to wait for the answer; if absent, for at most two minutes. */
    wait?: boolean | null;
    /** The same key says the same thing once, for 30 days. */
    idempotencyKey?: string | null;
}

/** The answer. */
export interface ConversationMessageResult {
    /** The conversation. */
    sessionId: string;
    /** What the worker says; empty while it has not. */
    response: string;
    /** Where the conversation stands: `idle`, `chatting`, `clarifying`, `executing`, `monitoring` or `reporting`. */
    state: string;
    /** The goal that it is about. */
    taskInfo?: TaskInfo;
    /** The number of the message among the conversation's turns; 0 while it waits for a scheduler. */
    turn: number;
    /** Whether the answer is still to come; it is told by the event `conversation.response`. */
    waiting?: boolean;
}

/** Which conversation. */
export interface ConversationStatusParams {
    /** The conversation. */
    sessionId: string;
}

/** Where it stands. */
export interface ConversationStatusResult {
    /** Whether it is there, and has not ended. */
    exists: boolean;
    /** Where it stands. */
    state?: string;
    /** How many turns it has. */
    turnCount?: number;
    /** The goal that it is about. */
    taskInfo?: TaskInfo;
}

/** What calls of models cost. */
export interface Cost {
    /** Calls that were charged. */
    calls: number;
    /** Tokens, of requests and answers. */
    tokens: number;
    /** Money, in US dollars. */
    costUsd: number;
    /** The part of the tokens that was assumed, because nobody told what a call used. */
    assumedTokens: number;
    /** The part of the money that was assumed. */
    assumedCostUsd: number;
    /** Whether a call has no known price: the money is not all of it. */
    unpriced: boolean;
}

/** By what costs are summed. */
export type CostBy =
    /** By goal, in the order in which they were submitted. */
    | "goal"
    /** By model. */
    | "model"
    /** By day, in the time zone in which it was counted. */
    | "day";

/** The sum of one goal, model or day. */
export interface CostRow {
    /** The goal's id, the model's name, or the date; empty where it is not known. */
    key: string;
    /** The goal's title, or the time zone of the day. */
    about?: string;
    /** Calls that were charged. */
    calls: number;
    /** Tokens, of requests and answers. */
    tokens: number;
    /** Money, in US dollars. */
    costUsd: number;
    /** The part of the tokens that was assumed, because nobody told what a call used. */
    assumedTokens: number;
    /** The part of the money that was assumed. */
    assumedCostUsd: number;
    /** Whether a call has no known price: the money is not all of it. */
    unpriced: boolean;
}

/** What to sum. */
export interface CostSummaryParams {
    /** By what; by day if absent. */
    by?: CostBy;
    /** Only one goal. */
    goalId?: string | null;
    /** At most so many rows, the last ones; 1,000 at most. */
    limit?: number | null;
}

/** Sums of costs. */
export interface CostSummaryResult {
    /** The sums; calls are counted in the row of the day on which they were promised. */
    rows: CostRow[];
    /** All of them together, also those that are not among the rows. */
    total: Cost;
    /** How many rows there are in all. */
    count: number;
}

/** Rows by their status. */
export interface Counted {
    /** All of them. */
    total: number;
    /** By status; one without rows may be absent. */
    byStatus: { [key: string]: number };
}

/** A processor. */
export interface Cpu {
    /** Its name. */
    model: string;
    /** How many threads it runs at once. */
    cores: number;
    /** Its frequency, in MHz; 0 where the system does not tell. */
    speed: number;
}

/** Who decides a criterion. */
export type CriterionType =
    /** A program decides. */
    | "deterministic"
    /** A judgement decides. */
    | "heuristic";

/** One of our two processes. */
export interface DaemonProcess {
    /** `gateway` or `scheduler`. */
    type: string;
    /** `running` or `stopped`. */
    status: string;
    /** Since when, in milliseconds since 1970. */
    startedAt?: number;
    /** The socket between the two. */
    socketPath?: string;
    /** The scheduler's database. */
    dbPath?: string;
    /** Its process id. */
    pid?: number;
    /** For how long it has run, in seconds. */
    uptime?: number;
    /** Its memory. */
    memory?: ProcessMemory;
    /** Its time on the processor. */
    cpu?: ProcessCpu;
}

/** A debug event. Its id, its time and its context are those that it got where it happened. */
export interface DebugEvent {
    /** Its own id. */
    id: string;
    /** When it happened, in milliseconds since 1970. */
    timestamp: number;
    /** Its name, `domain.action`. */
    type: string;
    /** The part of the system that tells it. */
    source: string;
    /** What is told; docs/TRACE.md has the keys of each name. */
    data: unknown;
    /** The goal. */
    goalId?: string;
    /** The work item. */
    workItemId?: string;
    /** The run. */
    runId?: string;
    /** The step: run, place in its journal, incarnation. */
    stepId?: string;
    /** The span that it belongs to, in 16 hex digits; docs/TRACE.md has the tree of them. */
    spanId?: string;
    /** The span that this one is part of. */
    parentSpanId?: string;
    /** Its position in the trace; on the link only, clients get a cursor. */
    pos?: number;
}

/** Which debug events. */
export interface DebugEventsParams {
    /** At most so many; 100 if absent, 500 at most. */
    limit?: number | null;
    /** Without the latest so many; ignored with `type`. */
    offset?: number | null;
    /** Only those of this name, or that begin with it and a dot. */
    type?: string | null;
}

/** Debug events. */
export interface DebugEventsResult {
    /** The latest first. */
    events: DebugEvent[];
    /** How many those are. */
    total: number;
}

/** Which debug events, from where. */
export interface DebugEventsSubscribeParams {
    /** A cursor of a debug event, `"start"` for the oldest one that is kept, or absent for what follows. */
    after?: string | null;
    /** Only events of this goal. */
    goalId?: string | null;
    /**
     * Only events of these names, if any is given: `llm` is also every name that begins with `llm.`, and a trailing `*`
     * matches any rest.
     */
    types?: string[] | null;
}

/** It takes the place of the one before. */
export interface DebugEventsSubscribeResult {
    /** Always. */
    success: boolean;
    /** Where it starts: the debug events after this cursor follow. */
    cursor: string;
    /**
     * Whether `after` could not be served: the trace is another one, or what followed may have been
     * removed. It starts with the oldest event that is kept.
     */
    rebase_required?: boolean;
}

/** It is ended. */
export interface DebugEventsUnsubscribeResult {
    /** Always. */
    success: boolean;
}

/** Who is connected. */
export interface DebugGatewayResult {
    /** How many there are. */
    connections: ConnectionCounts;
    /** WebSocket connections, the oldest first; 1,000 at most. */
    sessions: SessionView[];
}

/** Which goal. */
export interface DebugGoalParams {
    /** Its id, or a part of that which no other has. */
    goalId?: string;
}

/** All that is known of a goal. */
export interface DebugGoalResult {
    /** The goal. */
    goal: Goal;
    /** Its items. */
    workItems: ItemWithRuns[];
    /** What was asked about it. */
    escalations: Escalation[];
}

/** A lane. */
export interface DebugLane {
    /** Its name. */
    laneId: string;
    /** How many items there are in it. */
    status: DebugLaneStatus;
    /** Those that run; 500 of all lanes together at most. */
    activeItems: LaneItem[];
    /** Those that are ready and wait for a place; as many at most. */
    queuedItems: LaneItem[];
}

/** How many items there are in a lane. */
export interface DebugLaneStatus {
    /** The lane's name. */
    laneId: string;
    /** Items that run. */
    activeCount: number;
    /** Items that are ready. */
    queuedCount: number;
    /** Whether one more could run, by the limits in config.toml. */
    isAvailable: boolean;
}

/** Every lane. */
export interface DebugLanesResult {
    /** `main`, `subagent`, `cron`, `session`. */
    lanes: DebugLane[];
}

/** Which runs. */
export interface DebugRunsParams {
    /** Only those of this item. */
    workItemId?: string | null;
    /** Only those in this status. */
    status?: string | null;
    /** At most so many; 100 if absent, 500 at most. */
    limit?: number | null;
}

/** Runs. */
export interface DebugRunsResult {
    /** The latest first. */
    runs: Run[];
    /** How many those are. */
    total: number;
}

/** How a scheduler is, and what it has done. */
export interface DebugSchedulerResult {
    /** `running` while it has goals that are active, else `idle`. */
    status: string;
    /** The goals that are active; 500 at most. */
    activeGoals: string[];
    /** The lanes by name. */
    lanes: { [key: string]: DebugLaneStatus };
    /** When it wrote to the log last, in milliseconds since 1970. */
    lastTickAt?: number;
    /** How many items have failed. */
    errorCount: number;
    /** What it has done. */
    metrics: SchedulerMetrics;
    /** How the goals are that have not ended; 500 at most. */
    goalStates: GoalExecutionState[];
}

/** Everything at once. */
export interface DebugSnapshotResult {
    /** The gateway's clock, in milliseconds since 1970. */
    timestamp: number;
    /** The scheduler; null while none is connected. */
    scheduler: SnapshotScheduler | null;
    /** The gateway. */
    gateway: SnapshotGateway;
    /** Goals of the log. */
    goals: Counted;
    /** Their items. */
    workItems: Counted;
    /** The latest debug events, the latest first. */
    recentEvents: DebugEvent[];
}

/** Which approval, and why. */
export interface DecideParams {
    /** The approval's id. */
    approvalId: string;
    /** Why not, for the agent. */
    reason?: string | null;
    /** What a yes is given under, kept beside it. */
    conditions?: string | null;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** The files of a goal; of one that failed, what it had made and did not deliver. */
export interface Delivered {
    /** The folder that it worked in. */
    workspace?: string;
    /** What is new or changed, with digests, by path. */
    files: Artifact[];
    /** What was there before and is gone, by path. */
    removed: Artifact[];
    /** How many more there are than are listed here. */
    unlisted: number;
}

/** The disk of the home. */
export interface DiskStatus {
    /** What is left, in bytes. */
    freeBytes: number;
    /** What has to be left for new goals, in bytes. */
    neededBytes: number;
}

/** An item that is done. */
export interface DoneItem {
    /** Its key in the plan. */
    key: string;
    /** One line. */
    title: string;
    /** `command` or `agent`. */
    kind: string;
    /** Key of the item whose run added it; none for one of the plan. */
    added_by?: string;
    /** How well it is proven. */
    verdict: Verdict;
    /** How many attempts were made. */
    attempts: number;
    /** What the agent said when it finished: its words, which prove nothing. */
    said?: string;
}

/** What repeating an effect means (`durability.md` §4). */
export type Effect =
    /** Changes nothing outside; may be repeated freely. */
    | "pure"
    /** Repeating it leaves the same state; may be repeated and says so. */
    | "idempotent"
    /** Must not be repeated unless its outcome is known. */
    | "unsafe";

/** What went wrong: a code for programs, a sentence for people. */
export interface Error {
    /** A stable code. */
    code: string;
    /** In words. */
    message: string;
    /** What kind of failure it is: `transient`, `permanent`, `model`, `host` or `policy`. */
    class: ErrorClass;
    /** Whether trying again may help. */
    recoverable: boolean;
}

/** What kind of failure it is: it alone decides whether another attempt is made by itself. */
export type ErrorClass =
    /** It may pass: a command or gate failed, something took too long. */
    | "transient"
    /** It stays: trying again does the same. */
    | "permanent"
    /** The model did not do its work; another attempt may go better. */
    | "model"
    /** The machine or the daemon failed: the work itself was not tried, or not to its end. */
    | "host"
    /** A limit or a rule stopped it, or a person did: only a person goes past that. */
    | "policy";

/** A question to a human. */
export interface Escalation {
    /** Its id. */
    id: string;
    /** When it was raised. */
    created_at: number;
    /** The goal. */
    goal_id: string;
    /** The item; empty when it is about the goal as a whole. */
    work_item_id: string;
    /** The run. */
    run_id?: string;
    /** Which kind of question it is. */
    escalation_type: EscalationType;
    /** `high`. */
    severity: string;
    /** `open` or `resolved`. */
    status: string;
    /** One line. */
    title: string;
    /** Why it stopped. */
    description: string;
    /** Everything needed to decide. */
    context_data: Packet;
    /** When it is answered by itself, and with which of the options. */
    expiry?: Expiry;
    /** The call that needs a yes, and where that stands. */
    approval?: ApprovalState;
    /** What was answered. */
    resolution_action?: Answer;
    /** The words and answers that came with it. */
    resolution_data?: ResolutionData;
    /** Who answered. */
    resolved_by?: string;
    /** When, in milliseconds since 1970. */
    resolved_at?: number;
}

/** Which question. */
export interface EscalationGetParams {
    /** The escalation's id. */
    escalationId: string;
}

/** Which questions. */
export interface EscalationListParams {
    /** Only those about this goal. */
    goalId?: string | null;
    /** `open` for those that somebody has to answer, `resolved` for the others. */
    status?: string | null;
    /** At most so many; 50 if absent, 500 at most. */
    limit?: number | null;
    /** After so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
}

/** A page of questions. */
export interface EscalationListResult {
    /** The page. */
    escalations: Escalation[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** Which question, and the answer. */
export interface EscalationResolveParams {
    /** The escalation's id. */
    escalationId: string;
    /** The answer. */
    resolution: ResolveWith;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** Which question, and the answer. */
export interface EscalationRespondParams {
    /** The escalation's id. */
    escalationId: string;
    /** One of its options. */
    action: string;
    /** What comes with the answer. */
    data?: RespondData | null;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** The kinds of escalation (`architecture.md` §6). */
export type EscalationType =
    /** The goal can be read in more than one way. */
    | "clarification"
    /** A risky act waits for a yes. */
    | "approval"
    /** A budget is used up. */
    | "budget"
    /** No progress. */
    | "stuck"
    /** A credential or a model is missing. */
    | "credential"
    /** Going on might do an outside effect twice. */
    | "risk"
    /** The same failure, again and again. */
    | "repeated_failure";

/** What is done. */
export type Evaluation =
    /** Another attempt, which is told what failed. */
    | {
        kind: "retry";
    }
    /** Another attempt, by somebody else. */
    | {
        kind: "switch_model";
        /** Who failed, and is asked only if nobody else answers. */
        avoid?: string;
        /** What is asked of a model from now on. */
        tier?: Tier;
    }
    /** Another plan. */
    | {
        kind: "replan";
    }
    /** A person decides. */
    | {
        kind: "escalate";
    }
    /** Nothing: the item has failed. */
    | {
        kind: "give_up";
    };

/** Which events, from where. */
export interface EventsSubscribeParams {
    /** Only events of this goal. */
    goalId?: string | null;
    /** Only events of this conversation. */
    sessionId?: string | null;
    /** A cursor, `"start"`, or absent for a snapshot and what follows. */
    after?: string | null;
    /** Only events of these names; a trailing `*` matches any rest, as in `goal.*`. */
    kinds?: string[] | null;
    /**
     * Whether to send, beside the events, what models say and tools print while they do:
     * `llm.stream.*` and `tool.output`. These are in no log, and are dropped for a client that reads
     * too slowly; it is told how many. Each is sent once a connection.
     */
    deltas?: boolean;
}

/** The subscription. */
export interface EventsSubscribeResult {
    /** Its id, on this connection. */
    subscriptionId: string;
    /** Where it starts: the events after this cursor follow. */
    cursor: string;
    /** The cursor of the last event that there was by then, where that is another: who has that event has caught up. */
    end?: string;
    /** The goals as they stand at the cursor, when no `after` was given or it could not be served. */
    snapshot?: Snapshot;
    /** Whether `after` could not be served, so that what the client has must be replaced by the snapshot. */
    rebase_required?: boolean;
}

/** Which subscription. */
export interface EventsUnsubscribeParams {
    /** Its id. */
    subscriptionId: string;
}

/** It is ended. */
export interface EventsUnsubscribeResult {
    /** Whether there was one. */
    success: boolean;
}

/** What a persona is good at. */
export interface Expertise {
    /** Its subjects. */
    primaryDomains: string[];
    /** How sure it is of itself in each skill, from 0 to 1. */
    skillConfidence: { [key: string]: number };
}

/** What becomes of a question that nobody answers. */
export interface Expiry {
    /** When, in milliseconds since 1970. */
    at: number;
    /** The option that is taken then. */
    action: Answer;
}

/** A file that is different. */
export interface FileChange {
    /** Its path, relative to the folder. */
    path: string;
    /** `added`, `changed`, `mode` or `deleted`. */
    change: string;
    /** Line by line, as a unified diff; absent where that would be too much. */
    diff?: string;
}

/** An input that a goal file declares. */
export interface FileInput {
    /** Its name. */
    name: string;
    /** What it is for. */
    description?: string;
    /** Its value when none is given; without one it has to be given. */
    default?: string;
    /** Whether it is a path. */
    isPath: boolean;
}

/** One thing that is wrong with a goal file. */
export interface FileProblem {
    /** The line, from 1. */
    line: number;
    /** The column in characters, from 1. */
    column: number;
    /** What is wrong. */
    message: string;
    /** What to do about it. */
    hint?: string;
}

/** Which files a verdict is about. */
export type Freshness =
    /** Those that were delivered: the gate ran then, or nothing but gates wrote since it ran. */
    | "as_delivered"
    /** Those that were there when it ran; they may have changed since. */
    | "when_it_ran";

/** The program of a command gate. */
export interface GateCommand {
    /** Program and arguments. */
    argv: string[];
    /** Folder to run in, relative to the workspace. */
    cwd?: string | null;
    /** Variables set on top of the fixed list. */
    env?: { [key: string]: string };
    /** The exit code that means "passed", 0 to 255. A gate that must exit 1 declares it. */
    expect_exit?: number;
    /** Longest run, in seconds; [`super::TIME_LIMIT_S_DEFAULT`] if absent. */
    time_limit_s?: number | null;
    /** The negative control: with this command the check must not pass. */
    control?: string[];
}

/** What a server on this machine answers. */
export interface GateHttp {
    /**
     * Where it is asked: `http://` and `127.0.0.1`, `[::1]` or `localhost`. It is a GET; redirects are not
     * followed.
     */
    url: string;
    /** The status that it answers with. */
    status?: number;
    /** A text that the answer contains. */
    text?: string | null;
    /** A regular expression that the answer matches (Rust `regex` syntax, multi-line). */
    regex?: string | null;
    /** The server, which is started for the check and ended after it; one that runs already if absent. */
    argv?: string[] | null;
    /** How long it may take to answer, in seconds; [`super::HTTP_TIME_LIMIT_S_DEFAULT`] if absent. */
    time_limit_s?: number | null;
}

/** A gate that ran. */
export interface GateReport {
    /** The item's key. */
    item: string;
    /** Which files the verdict is about. */
    freshness: Freshness;
    /** The run. */
    run_id: string;
    /** The item. */
    work_item_id: string;
    /** Place in the run's journal. */
    step: number;
    /** Its name. */
    name: string;
    /** Its kind. */
    kind: string;
    /** Whether the item fails without it. */
    required: boolean;
    /** Whether it passed. */
    passed: boolean;
    /** One line on what was found. */
    found: string;
    /** Whether it was run once more before delivery. */
    recheck: boolean;
    /** The program that ran. */
    argv?: string[];
    /** Its exit code. */
    exit_code?: number;
    /** Digest of its output, or of the file that was read. */
    output_digest?: string;
    /** The end of its output. */
    output_tail?: string;
    /** How long it took, in milliseconds. */
    duration_ms: number;
    /** Digest of the workspace that the verdict is about. */
    workspace_digest?: string;
    /** Files that decide what it finds and that the goal changed since its start; at most 20. */
    edited?: string[];
}

/** What a gate found, with its evidence. */
export interface GateResult {
    /** The run. */
    run_id: string;
    /** The item. */
    work_item_id: string;
    /** Place in the run's journal. */
    step: number;
    /** Its name. */
    name: string;
    /** Its kind. */
    kind: string;
    /** Whether the item fails without it. */
    required: boolean;
    /** Whether it passed. */
    passed: boolean;
    /** One line on what was found. */
    found: string;
    /** Whether it was run once more before delivery. */
    recheck: boolean;
    /** The program that ran. */
    argv?: string[];
    /** Its exit code. */
    exit_code?: number;
    /** Digest of its output, or of the file that was read. */
    output_digest?: string;
    /** The end of its output. */
    output_tail?: string;
    /** How long it took, in milliseconds. */
    duration_ms: number;
    /** Digest of the workspace that the verdict is about. */
    workspace_digest?: string;
    /** Files that decide what it finds and that the goal changed since its start; at most 20. */
    edited?: string[];
}

/** One gate: a check that the daemon itself runs. */
export type GateSpec = {
    /** A name for people; derived from the check if absent. */
    name?: string | null;
    /** Whether the item fails without it; a failed optional gate leaves the verdict `partial`. */
    required?: boolean;
    /**
     * Files that decide what it finds, besides those that can be told from it. If the goal changed one, a
     * person is asked.
     */
    judges?: string[];
    /** Whether the goal may change what decides it: writing that is its task. */
    may_change?: boolean;
} & (
    /** A program ends with the declared exit code. */
    | GateCommand & {
        kind: "command";
    }
    /** A file exists. */
    | {
        kind: "file_exists";
        /** The file. */
        path: string;
    }
    /** A file contains a text or matches a regular expression; exactly one of the two is given. */
    | {
        kind: "file_contains";
        /** The file. */
        path: string;
        /** The text to find. */
        text?: string | null;
        /** The regular expression to match (Rust `regex` syntax, multi-line). */
        regex?: string | null;
    }
    /** A file has the content that it had when the goal started. */
    | {
        kind: "file_unchanged";
        /** The file. */
        path: string;
    }
    /**
     * A test run executed at least `min` tests and exited 0. Without `argv` the output of the
     * item's own command is read.
     */
    | {
        kind: "tests_executed";
        /** The test command; the item's own if absent. */
        argv?: string[] | null;
        /** Fewest tests that count as proof; at least 1. */
        min?: number;
        /** Longest run, in seconds; [`super::TIME_LIMIT_S_DEFAULT`] if absent. */
        time_limit_s?: number | null;
        /** The negative control: with this command the check must not pass. */
        control?: string[];
    }
    /** A file is JSON and holds against a JSON Schema; exactly one of the two is given. */
    | {
        kind: "json_schema";
        /** The file. */
        path: string;
        /** The schema. */
        schema?: { [key: string]: unknown } | null;
        /** The file that holds the schema. */
        schema_path?: string | null;
    }
    /** A server on this machine answers as it should. */
    | GateHttp & {
        kind: "http";
    }
    /** Since the goal's start only files that match one of these patterns are new, changed or gone. */
    | {
        kind: "changes_within";
        /** The patterns: `*` stays in its folder, `**` goes through all. */
        paths: string[];
        /** Most files that may be new, changed or gone; no limit if absent. */
        max_files?: number | null;
    }
    /**
     * No file that matches one of these patterns contains a text or matches a regular expression; exactly
     * one of the two is given.
     */
    | {
        kind: "files_lack";
        /** The patterns: `*` stays in its folder, `**` goes through all. */
        paths: string[];
        /** The text that is not to be found. */
        text?: string | null;
        /** The regular expression that is not to match (Rust `regex` syntax, multi-line). */
        regex?: string | null;
    }
    /**
     * A model that did not do the work looks at it, point by point. It judges only beside a required gate
     * of another kind, and only once: it is not repeated before delivery.
     */
    | {
        kind: "review";
        /** What has to be true, one point each. */
        rubric: string[];
        /** How much it asks of a model. */
        tier?: Tier;
        /**
         * The model that does it, `provider/model`; by tier if absent, and somebody else than who did the
         * work where there is one.
         */
        model?: string | null;
    });

/** The gateway itself. */
export interface GatewayStatus {
    /** Its process id. */
    pid: number;
    /** Its version. */
    version: string;
    /** Since when, in milliseconds since 1970. */
    startedAt: number;
    /** Its connections. */
    connections: Connections;
    /** Always true: it answers. */
    isRunning: boolean;
    /** Whether a scheduler is connected. */
    daemonConnected: boolean;
    /** The same, by its other name. */
    schedulerConnected: boolean;
}

/** A goal. */
export interface Goal {
    /** Its id. */
    id: string;
    /** When it was accepted, in milliseconds since 1970. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** When it ended. */
    completed_at?: number;
    /** One line. */
    title: string;
    /** What is wanted. */
    description: string;
    /** How one will know. */
    success_criteria: SuccessCriterion[];
    /** `queued`, `active`, `blocked`, `completed`, `cancelled` or `failed`. */
    status: GoalStatus;
    /** 0 to 100, higher first. */
    priority: number;
    /** Most tokens. */
    budget_tokens?: number;
    /** Most minutes. */
    budget_time_minutes?: number;
    /** Most money. */
    budget_cost_usd?: number;
    /** Tokens used. */
    spent_tokens: number;
    /** Minutes used, rounded up. */
    spent_time_minutes: number;
    /** Money used. */
    spent_cost_usd: number;
    /** The part of the money that was assumed, because nobody told what a call cost. */
    assumed_cost_usd: number;
    /** The part of the tokens that was assumed. */
    assumed_tokens: number;
    /** Whether a model was called whose price nobody has said: the money is not all of it. */
    unpriced?: boolean;
    /** Answers of models. */
    spent_turns: number;
    /** Most answers of models. */
    budget_turns?: number;
    /** When it is to be done. */
    deadline?: number;
    /** Whether it ends when its plan stands. */
    plan_only?: boolean;
    /** Free labels. */
    tags?: string[];
    /** Which of the eight phases it is in. */
    phase: Phase;
    /** `verified`, `partial`, `unverified` or `failed`, once it ended. */
    verdict?: Verdict;
    /** Why it stands where it stands. */
    reason?: Reason;
    /** What went wrong. */
    error?: Error;
    /** The folder it works in. */
    workspace?: string;
    /** How the files in it were kept before the goal wrote. */
    kept?: Kept;
    /** The goal whose folder it waits for. */
    waits_for?: string;
    /** What is taken for granted, because nobody said otherwise. */
    assumptions?: string[];
    /** Why another plan is being made. */
    replanning?: string;
    /** One line on how it ended. */
    summary?: string;
    /** How many more files are new, changed or gone than its artifacts list. */
    unlisted?: number;
    /** Milliseconds during which steps ran. */
    spent_time_ms: number;
    /** Whether it is still in the inbox, waiting for a scheduler. */
    waiting?: boolean;
    /** The schedule that submitted it. */
    schedule_id?: string;
    /** For which slot; none if a person had the schedule run. */
    slot?: number;
}

/** Which goal, and when: either `cursor` or `time`. */
export interface GoalAtParams {
    /** The goal's id, or a part of it that no other has. */
    goalId: string;
    /** A cursor of the log: with all events up to there. */
    cursor?: string | null;
    /** A moment, in milliseconds since 1970: with all events before the first one that is later. */
    time?: number | null;
}

/** The goal as it stood. */
export interface GoalAtResult {
    /** Its id. */
    id: string;
    /** When it was accepted, in milliseconds since 1970. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** When it ended. */
    completed_at?: number;
    /** One line. */
    title: string;
    /** What is wanted. */
    description: string;
    /** How one will know. */
    success_criteria: SuccessCriterion[];
    /** `queued`, `active`, `blocked`, `completed`, `cancelled` or `failed`. */
    status: GoalStatus;
    /** 0 to 100, higher first. */
    priority: number;
    /** Most tokens. */
    budget_tokens?: number;
    /** Most minutes. */
    budget_time_minutes?: number;
    /** Most money. */
    budget_cost_usd?: number;
    /** Tokens used. */
    spent_tokens: number;
    /** Minutes used, rounded up. */
    spent_time_minutes: number;
    /** Money used. */
    spent_cost_usd: number;
    /** The part of the money that was assumed, because nobody told what a call cost. */
    assumed_cost_usd: number;
    /** The part of the tokens that was assumed. */
    assumed_tokens: number;
    /** Whether a model was called whose price nobody has said: the money is not all of it. */
    unpriced?: boolean;
    /** Answers of models. */
    spent_turns: number;
    /** Most answers of models. */
    budget_turns?: number;
    /** When it is to be done. */
    deadline?: number;
    /** Whether it ends when its plan stands. */
    plan_only?: boolean;
    /** Free labels. */
    tags?: string[];
    /** Which of the eight phases it is in. */
    phase: Phase;
    /** `verified`, `partial`, `unverified` or `failed`, once it ended. */
    verdict?: Verdict;
    /** Why it stands where it stands. */
    reason?: Reason;
    /** What went wrong. */
    error?: Error;
    /** The folder it works in. */
    workspace?: string;
    /** How the files in it were kept before the goal wrote. */
    kept?: Kept;
    /** The goal whose folder it waits for. */
    waits_for?: string;
    /** What is taken for granted, because nobody said otherwise. */
    assumptions?: string[];
    /** Why another plan is being made. */
    replanning?: string;
    /** One line on how it ended. */
    summary?: string;
    /** How many more files are new, changed or gone than its artifacts list. */
    unlisted?: number;
    /** Milliseconds during which steps ran. */
    spent_time_ms: number;
    /** Whether it is still in the inbox, waiting for a scheduler. */
    waiting?: boolean;
    /** The schedule that submitted it. */
    schedule_id?: string;
    /** For which slot; none if a person had the schedule run. */
    slot?: number;
    /** What it delivered. */
    artifacts: Artifact[];
    /** What a human was asked. */
    escalations: Escalation[];
    /** Its items with their runs. */
    workItems: ItemWithRuns[];
    /** The number of the last event before that moment. */
    seq: number;
    /** When that happened. */
    at: number;
    /** Its cursor. */
    cursor: string;
}

/** Which goal, and why. */
export interface GoalCancelParams {
    /** The goal's id. */
    goalId: string;
    /** Why. */
    reason?: string | null;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** The goal file. */
export interface GoalCheckParams {
    /** Its text (TOML). */
    goalFile: string;
    /** The folder that its paths are relative to, absolute; that of the workspaces in the home if absent. */
    folder?: string | null;
    /** Values of its inputs. */
    inputs?: { [key: string]: string };
}

/** What it is: a goal, or problems. */
export interface GoalCheckResult {
    /** The goal, with its inputs filled in; absent if something is wrong. */
    goal?: GoalSpec;
    /** The inputs that it declares, by their names; none where what it says cannot be read. */
    inputs: FileInput[];
    /** What is wrong, in reading order; at most 100. */
    problems: FileProblem[];
    /** How many more there are. */
    leftOut: number;
}

/** A goal with what belongs to it. */
export interface GoalDetail {
    /** Its id. */
    id: string;
    /** When it was accepted, in milliseconds since 1970. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** When it ended. */
    completed_at?: number;
    /** One line. */
    title: string;
    /** What is wanted. */
    description: string;
    /** How one will know. */
    success_criteria: SuccessCriterion[];
    /** `queued`, `active`, `blocked`, `completed`, `cancelled` or `failed`. */
    status: GoalStatus;
    /** 0 to 100, higher first. */
    priority: number;
    /** Most tokens. */
    budget_tokens?: number;
    /** Most minutes. */
    budget_time_minutes?: number;
    /** Most money. */
    budget_cost_usd?: number;
    /** Tokens used. */
    spent_tokens: number;
    /** Minutes used, rounded up. */
    spent_time_minutes: number;
    /** Money used. */
    spent_cost_usd: number;
    /** The part of the money that was assumed, because nobody told what a call cost. */
    assumed_cost_usd: number;
    /** The part of the tokens that was assumed. */
    assumed_tokens: number;
    /** Whether a model was called whose price nobody has said: the money is not all of it. */
    unpriced?: boolean;
    /** Answers of models. */
    spent_turns: number;
    /** Most answers of models. */
    budget_turns?: number;
    /** When it is to be done. */
    deadline?: number;
    /** Whether it ends when its plan stands. */
    plan_only?: boolean;
    /** Free labels. */
    tags?: string[];
    /** Which of the eight phases it is in. */
    phase: Phase;
    /** `verified`, `partial`, `unverified` or `failed`, once it ended. */
    verdict?: Verdict;
    /** Why it stands where it stands. */
    reason?: Reason;
    /** What went wrong. */
    error?: Error;
    /** The folder it works in. */
    workspace?: string;
    /** How the files in it were kept before the goal wrote. */
    kept?: Kept;
    /** The goal whose folder it waits for. */
    waits_for?: string;
    /** What is taken for granted, because nobody said otherwise. */
    assumptions?: string[];
    /** Why another plan is being made. */
    replanning?: string;
    /** One line on how it ended. */
    summary?: string;
    /** How many more files are new, changed or gone than its artifacts list. */
    unlisted?: number;
    /** Milliseconds during which steps ran. */
    spent_time_ms: number;
    /** Whether it is still in the inbox, waiting for a scheduler. */
    waiting?: boolean;
    /** The schedule that submitted it. */
    schedule_id?: string;
    /** For which slot; none if a person had the schedule run. */
    slot?: number;
    /** What it delivered. */
    artifacts: Artifact[];
    /** What a human was asked. */
    escalations: Escalation[];
}

/** What is different. */
export interface GoalDiffResult {
    /** The files, by path; at most 500. */
    changes: FileChange[];
    /** How many more there are. */
    leftOut: number;
}

/** How a goal goes. */
export interface GoalExecutionState {
    /** The goal. */
    goalId: string;
    /** `pending`, `running`, `paused`, `completed`, `failed` or `cancelled`; one that waits for a person is `paused`. */
    status: string;
    /** The item that runs; the first of several. */
    currentWorkItemId?: string;
    /** Its run. */
    currentRunId?: string;
    /** Since when something of it runs, in milliseconds since 1970. */
    startedAt?: number;
}

/** A goal, by its id. */
export interface GoalIdParams {
    /** The goal's id. */
    goalId: string;
}

/** Which goal. */
export interface GoalParams {
    /** The goal's id. */
    goalId: string;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** The plan of a goal. */
export interface GoalPlanResult {
    /** A goal file, as TOML. */
    goalFile: string;
    /** What was asked, with the items of the plan: the goal of `goalFile`, as `goal.submit` takes it. */
    spec: GoalSpec;
}

/** Which goal, and how important it is. */
export interface GoalPrioritizeParams {
    /** The goal's id. */
    goalId: string;
    /** 0 to 100, higher first. */
    priority: number;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** Which goal, and what is answered. */
export interface GoalResumeParams {
    /** The goal's id. */
    goalId: string;
    /**
     * One of the options of its open escalations, given to each that offers it: `retry`, `skip`, `raise`,
     * `finish`, `cancel`, and where only one is open `approve` or `deny`.
     */
    answer?: string | null;
    /** What `raise` raises the cap to: tokens, US dollars, turns or minutes; twice what it is if absent. */
    to?: number | null;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** A goal as asked for. Unknown keys are ignored, as the first gateway did. */
export interface GoalSpec {
    /** One line, at most [`TITLE_CHARS_MAX`] characters. */
    title: string;
    /** What is wanted, in the person's words; at most [`DESCRIPTION_BYTES_MAX`] bytes. */
    description: string;
    /** How the person will know; an empty list gets one default criterion at intake. */
    success_criteria?: SuccessCriterion[];
    /** 0 to 100, higher first. */
    priority?: number;
    /** Most tokens that model calls of this goal may use. */
    budget_tokens?: number | null;
    /** Most minutes during which steps of this goal may run. */
    budget_time_minutes?: number | null;
    /** Most money that this goal may spend, in US dollars. */
    budget_cost_usd?: number | null;
    /** Most tokens that one call of a model may use. */
    budget_call_tokens?: number | null;
    /** Most money that one call of a model may cost, in US dollars. */
    budget_call_usd?: number | null;
    /**
     * When it is to be done, in milliseconds since 1970: what is not then is stopped, and a person
     * decides.
     */
    deadline_ms?: number | null;
    /** Most answers of models that this goal may ask for. */
    budget_turns?: number | null;
    /** The model for everything in this goal, `provider/model`; by tier if absent. */
    model?: string | null;
    /** Whether it ends when its plan stands. */
    plan_only?: boolean;
    /** Whether a person is asked when the goal can be read in more than one way. */
    ask?: Ask;
    /** Most questions that are asked at once; [`QUESTIONS_DEFAULT`](crate::goal::QUESTIONS_DEFAULT) if absent. */
    max_questions?: number | null;
    /**
     * How long a person has to answer, in seconds, before what was declared with the question is taken;
     * [`ANSWER_WITHIN_S_DEFAULT`](crate::goal::ANSWER_WITHIN_S_DEFAULT) if absent.
     */
    answer_within_s?: number | null;
    /** Tools of which each call by an agent waits for a person's yes. */
    approve?: string[];
    /** Whether a plan that a model made waits for a person's yes. */
    approve_plan?: boolean;
    /**
     * Most items that its agents may add together; [`ADDED_ITEMS_DEFAULT`](crate::goal::ADDED_ITEMS_DEFAULT) if
     * absent, none if 0.
     */
    max_added_items?: number | null;
    /** Free labels. */
    tags?: string[];
    /** Absolute path of the folder to work in; a new folder under `$PB_HOME/workspaces` if absent. */
    workspace?: string | null;
    /** The inputs that the goal file was resolved with; commands see them as `PB_INPUT_<NAME>`. */
    inputs?: { [key: string]: string };
    /** The plan, when the person made it; empty means that a model has to. */
    items?: ItemSpec[];
}

/** Where a goal stands (`wire.md` §4.2). */
export type GoalStatus =
    /** Accepted, waiting for its workspace. */
    | "queued"
    /** Being worked on. */
    | "active"
    /** Cannot go on without a human. */
    | "blocked"
    /** Delivered. */
    | "completed"
    /** Stopped by a person. */
    | "cancelled"
    /** Could not be delivered. */
    | "failed";

/** The journal of a goal. */
export interface GoalStepsResult {
    /** The steps, in the order in which they began. */
    steps: StepView[];
}

/** What is asked for. */
export interface GoalSubmitParams {
    /** One line, at most [`TITLE_CHARS_MAX`] characters. */
    title: string;
    /** What is wanted, in the person's words; at most [`DESCRIPTION_BYTES_MAX`] bytes. */
    description: string;
    /** How the person will know; an empty list gets one default criterion at intake. */
    success_criteria?: SuccessCriterion[];
    /** 0 to 100, higher first. */
    priority?: number;
    /** Most tokens that model calls of this goal may use. */
    budget_tokens?: number | null;
    /** Most minutes during which steps of this goal may run. */
    budget_time_minutes?: number | null;
    /** Most money that this goal may spend, in US dollars. */
    budget_cost_usd?: number | null;
    /** Most tokens that one call of a model may use. */
    budget_call_tokens?: number | null;
    /** Most money that one call of a model may cost, in US dollars. */
    budget_call_usd?: number | null;
    /**
     * When it is to be done, in milliseconds since 1970: what is not then is stopped, and a person
     * decides.
     */
    deadline_ms?: number | null;
    /** Most answers of models that this goal may ask for. */
    budget_turns?: number | null;
    /** The model for everything in this goal, `provider/model`; by tier if absent. */
    model?: string | null;
    /** Whether it ends when its plan stands. */
    plan_only?: boolean;
    /** Whether a person is asked when the goal can be read in more than one way. */
    ask?: Ask;
    /** Most questions that are asked at once; [`QUESTIONS_DEFAULT`](crate::goal::QUESTIONS_DEFAULT) if absent. */
    max_questions?: number | null;
    /**
     * How long a person has to answer, in seconds, before what was declared with the question is taken;
     * [`ANSWER_WITHIN_S_DEFAULT`](crate::goal::ANSWER_WITHIN_S_DEFAULT) if absent.
     */
    answer_within_s?: number | null;
    /** Tools of which each call by an agent waits for a person's yes. */
    approve?: string[];
    /** Whether a plan that a model made waits for a person's yes. */
    approve_plan?: boolean;
    /**
     * Most items that its agents may add together; [`ADDED_ITEMS_DEFAULT`](crate::goal::ADDED_ITEMS_DEFAULT) if
     * absent, none if 0.
     */
    max_added_items?: number | null;
    /** Free labels. */
    tags?: string[];
    /** Absolute path of the folder to work in; a new folder under `$PB_HOME/workspaces` if absent. */
    workspace?: string | null;
    /** The inputs that the goal file was resolved with; commands see them as `PB_INPUT_<NAME>`. */
    inputs?: { [key: string]: string };
    /** The plan, when the person made it; empty means that a model has to. */
    items?: ItemSpec[];
    /** The same key gives the same goal, for 30 days. */
    idempotencyKey?: string | null;
}

/** What a guard saw. */
export type Guard =
    /** The same tool, arguments and result, again and again. */
    | "repetition"
    /** The same few calls with the same results, round and round. */
    | "cycle"
    /** Nothing new in the workspace or in what its calls found. */
    | "no_progress"
    /** Answers that call no tool. */
    | "empty_answers"
    /** Its turns run out. */
    | "runaway_turns";

/** What the machine is made of. */
export interface Hardware {
    /** Its processor. */
    cpu: Cpu;
    /** Its memory. */
    memory: Memory;
}

/** An address of an interface. */
export interface Interface {
    /** The interface. */
    name: string;
    /** The address. */
    address: string;
    /** `IPv4` or `IPv6`. */
    family: string;
    /** Whether it reaches this machine only. */
    internal: boolean;
    /** The interface's hardware address. */
    mac?: string;
}

/** Which item. */
export interface ItemParams {
    /** The item's id. */
    workItemId: string;
}

/** One work item of a plan. */
export interface ItemSpec {
    /** The item's key in its plan: 1 to 64 letters, digits, `-`, `_`, `.`; unique in the goal. */
    id: string;
    /** One line for people; the key if absent. */
    title?: string | null;
    /** What the item is to do. */
    description?: string;
    /** Keys of the items that must be done before this one starts. */
    needs?: string[];
    /** The concurrency lane. */
    lane?: Lane;
    /**
     * How often a failed attempt is repeated. If absent, [`RETRIES_DEFAULT`] for pure and
     * idempotent items and 0 for unsafe ones.
     */
    max_retries?: number | null;
    /** What is done. */
    work: Work;
    /** What proves that it is done. Without gates an item ends `unverified`. */
    gates?: GateSpec[];
}

/** Where a work item stands (`wire.md` §4.2). */
export type ItemStatus =
    /** Waits for other items, or for its next attempt. */
    | "queued"
    /** May start. */
    | "ready"
    /** Runs. */
    | "in_progress"
    /** Its gates run. */
    | "verify"
    /** Done. */
    | "done"
    /** Failed for good. */
    | "failed"
    /** Waits for a human. */
    | "blocked"
    /** A human said to go on without it. */
    | "skipped";

/** An item and its runs. */
export interface ItemWithRuns {
    /** The item. */
    workItem: WorkItem;
    /** Its runs, the first one first. */
    runs: Run[];
}

/** How the workspace was kept, as it was when the goal started. */
export type Kept =
    /** There was nothing in it. */
    | {
        how: "empty";
    }
    /** As a commit of the workspace's own git repository, under `refs/ponybunny/<goal>`. */
    | {
        how: "git";
        /** The commit. */
        commit: string;
    }
    /** As a copy in the home. */
    | {
        how: "copy";
        /** Its size. */
        bytes: number;
    }
    /** Not at all: what the goal changes cannot be undone. */
    | {
        how: "not";
        /** Why, in words. */
        why: string;
    };

/** Bounds how many items run at once (`wire.md` §5.3). */
export type Lane =
    /** The ordinary lane. */
    | "main"
    /** Delegated, parallel work. */
    | "subagent"
    /** Scheduled work. */
    | "cron"
    /** Interactive or long-running work. */
    | "session";

/** An item in a lane. */
export interface LaneItem {
    /** Its id. */
    workItemId: string;
    /** Its goal. */
    goalId: string;
    /** Its title. */
    title: string;
}

/** What runs in a lane. How much may is up to the scheduler's settings. */
export interface LaneStatus {
    /** How many items of all goals run in it. */
    running: number;
    /** How many are ready, and wait for room in it or for another item of their goal. */
    ready: number;
}

/** Filters such as `info,scheduler=debug`. */
export interface Levels {
    /** What is written. */
    now: string;
    /** What is written where nobody asks for anything else. */
    usual: string;
    /** What is written from the next start on, if somebody asked for that. */
    kept?: string;
}

/** What each process writes now. */
export interface LevelsResult {
    /** Those that were asked. */
    processes: ProcessLevels[];
}

/** Which goals. */
export interface ListParams {
    /** Only goals in this status. */
    status?: string | null;
    /** At most this many; 50 if absent, 1000 at most. */
    limit?: number | null;
    /** After this many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
    /**
     * Whether the page is counted from the goals that were asked for last, whatever their priority. The order is
     * the same.
     */
    latest?: boolean;
}

/** The goals. */
export interface ListResult {
    /** This page. */
    goals: Goal[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** What is to be written. */
export interface LogSetLevelsParams {
    /**
     * `LEVEL` and `PART=LEVEL`, with commas between, such as `info,scheduler=debug`; what is not named is written as
     * usual. Absent: all is.
     */
    filter?: string | null;
    /** Whether it stays so after the next start. */
    keep?: boolean;
    /** `gateway` or `scheduler`; both if absent. */
    process?: string | null;
    /** A repeat changes nothing. */
    idempotencyKey?: string | null;
}

/** The machine, and the process that answers. */
export interface Machine {
    /** Its operating system. */
    os: Os;
    /** What it is made of. */
    hardware: Hardware;
    /** How it is connected. */
    network: Network;
    /** The gateway. */
    process: ProcessFigures;
}

/** Memory, in bytes. */
export interface Memory {
    /** All there is. */
    total: number;
    /** What programs can have. */
    free: number;
    /** The rest. */
    used: number;
    /** The rest, of a hundred. */
    usagePercent: number;
}

/** What becomes of slots that passed while nothing could run: the machine was off, or the last goal still ran. */
export type Missed =
    /** They are left out. */
    | "skip"
    /** The latest of them is run, once. */
    | "once"
    /** Each is run, one after the other: the latest 24 of them. */
    | "all";

/** What one model took. */
export interface ModelSpent {
    /** The model, `provider/model`. */
    model: string;
    /** Its calls, also those that failed. */
    calls: number;
    /** Its answers. */
    turns: number;
    /** Tokens. */
    tokens: number;
    /** Money. */
    cost_usd: number;
    /** Whether its price is not known. */
    unpriced: boolean;
}

/** How the machine is connected. */
export interface Network {
    /** The addresses of its interfaces. */
    interfaces: Interface[];
}

/** No parameters; any object is accepted. */
export interface NoParams { [key: string]: unknown }

/** An item that is not done. */
export interface OpenItem {
    /** Its key in the plan. */
    key: string;
    /** One line. */
    title: string;
    /** Key of the item whose run added it; none for one of the plan. */
    added_by?: string;
    /**
     * `queued`, `ready`, `in_progress`, `verify`, `failed`, `blocked` or `skipped`; `replaced` when another plan took
     * its place.
     */
    status: string;
    /** Why it is not done, in words. */
    why: string;
    /** How many attempts were made. */
    attempts: number;
}

/** The operating system. */
export interface Os {
    /** Its family, such as `linux`. */
    platform: string;
    /** Its name, such as `Debian GNU/Linux`. */
    type: string;
    /** The kernel's release. */
    release: string;
    /** Its own version. */
    version: string;
    /** What the gateway was built for, such as `x86_64`. */
    arch: string;
    /** The machine's name. */
    hostname: string;
    /** For how long it has been up, in seconds. */
    uptime: number;
}

/** Everything needed to decide. */
export interface Packet {
    /** What was being done. */
    context: string;
    /** What was tried. */
    attempts: Attempt[];
    /** How things stand. */
    current_state: string;
    /** Why it stopped. */
    root_cause: string;
    /** What can be done. */
    options: Choice[];
    /** What is asked, one by one, to be answered with `user_input`. */
    questions?: Question[];
}

/** How many questions wait. */
export interface PendingResult {
    /** So many. */
    count: number;
}

/** A voice in which a conversation is held (`wire.md` §4.1). */
export interface Persona {
    /** Its id: the name of its file, without the ending. */
    id: string;
    /** Its name. */
    name: string;
    /** What it is also called. */
    nickname?: string;
    /** How it is, each from 0 to 1: warmth, formality, humor, empathy. */
    personality: { [key: string]: number };
    /** How it talks: verbosity, technicalDepth, expressiveness. */
    communicationStyle: { [key: string]: string };
    /** What it is good at. */
    expertise: Expertise;
    /** What it has been through. */
    backstory?: string;
    /** The language in which it talks if the person's is not known, as in `zh-CN`. */
    locale: string;
}

/** The default persona. */
export interface PersonaDefaultResult {
    /** Its id. */
    personaId: string;
}

/** Which persona. */
export interface PersonaGetParams {
    /** Its id. */
    id: string;
}

/** The personas. */
export interface PersonaListResult {
    /** Those that can be used, by id. */
    personas: PersonaRow[];
    /** Files that are not used, and why. */
    problems?: string[];
}

/** A persona, in short. */
export interface PersonaRow {
    /** Its id. */
    id: string;
    /** Its name. */
    name: string;
    /** What it is also called. */
    nickname?: string;
    /** The language in which it talks if the person's is not known, as in `zh-CN`. */
    locale: string;
}

/** The eight phases (`architecture.md` §6). */
export type Phase =
    /** Validating what was asked. */
    | "intake"
    /** Finding what is ambiguous. */
    | "elaboration"
    /** Making and ordering the plan. */
    | "planning"
    /** Running items. */
    | "execution"
    /** Running gates. */
    | "verification"
    /** Judging the evidence. */
    | "evaluation"
    /** Delivering. */
    | "publish"
    /** Watching limits and deadlines. */
    | "monitor";

/** A process's time on the processor, in microseconds. */
export interface ProcessCpu {
    /** In the program. */
    user: number;
    /** In the kernel. */
    system: number;
}

/** What a process uses. The keys are those of the first implementation, which was no native program. */
export interface ProcessFigures {
    /** Its process id. */
    pid: number;
    /** For how long it has run, in seconds. */
    uptime: number;
    /** Its memory. */
    memory: ProcessMemory;
    /** Its time on the processor. */
    cpu: ProcessCpu;
}

/** What a process writes, or why that is not known. */
export interface ProcessLevels {
    /** `gateway` or `scheduler`. */
    process: string;
    /** What it writes. */
    levels?: Levels;
    /** Why it is not known, and not changed. */
    problem?: string;
}

/** A process's memory, in bytes. */
export interface ProcessMemory {
    /** All that is in the machine's memory. */
    rss: number;
    /** What it has asked for as data. */
    heapTotal: number;
    /** What is in memory and belongs to no file. */
    heapUsed: number;
    /** What is in memory of files, its program among them. */
    external: number;
}

/** The processes. */
export interface Processes {
    /** The one that answers: the gateway. */
    current: ProcessFigures;
    /** The gateway. */
    gateway: DaemonProcess;
    /** The scheduler. */
    scheduler: DaemonProcess;
}

/** A gate of a plan. */
export interface QualityGate {
    /** Its name. */
    name: string;
    /** `deterministic`. */
    type: string;
    /** The command, if it runs one. */
    command?: string;
    /** The exit code that means "passed". */
    expected_exit_code?: number;
    /** Whether the item fails without it. */
    required: boolean;
    /** Its kind, such as `file_exists`. */
    kind: string;
}

/** One question about a goal that can be read in more than one way (`wire.md` §5.10). */
export interface Question {
    /** Its name, by which it is answered. */
    id: string;
    /** The question. */
    question: string;
    /** Why the answer changes the plan. */
    context?: string;
    /** Answers that are offered; others may be given. */
    options?: string[];
    /** What is assumed when nobody answers. */
    defaultValue: string;
}

/** A cap that was raised, to this. */
export type Raised =
    /** Tokens. */
    | {
        cap: "tokens";
        to: number;
    }
    /** Money. */
    | {
        cap: "cost";
        to: number;
    }
    /** Answers of models. */
    | {
        cap: "turns";
        to: number;
    }
    /** Minutes of running time. */
    | {
        cap: "time";
        to: number;
    }
    /** The item may use all of the goal's budget. */
    | {
        cap: "share";
    }
    /** Twice as much for one call. */
    | {
        cap: "call";
    }
    /** Twice as long for the item. */
    | {
        cap: "item_time";
    }
    /** The deadline, in milliseconds since 1970. */
    | {
        cap: "deadline";
        to: number;
    };

/** Why a goal stands where it stands. */
export type Reason =
    /** Another goal writes in the same folder. */
    | "waiting_for_workspace"
    /** Intake refused it. */
    | "refused"
    /** A human has to decide. */
    | "needs_human"
    /** A cancellation waits for running steps to end. */
    | "cancelling"
    /** A person paused it. */
    | "paused"
    /** An item failed for good. */
    | "dead_letter"
    /** A gate that had passed did not hold before delivery. */
    | "gate_no_longer_holds";

/** A report, as things stood at [`Report::updated_at`]. */
export interface Report {
    /** The goal. */
    goal_id: string;
    /** Its title. */
    title: string;
    /** Its status: `completed`, `failed`, `cancelled` or `blocked` once it has ended or stopped. */
    status: string;
    /** Why it stands there, where the status does not say it all. */
    reason?: string;
    /** How well it is proven, once it ended. */
    verdict?: Verdict;
    /** One line on how it ended. */
    summary?: string;
    /** What went wrong. */
    error?: Error;
    /** When it was accepted, in milliseconds since 1970. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** When it ended. */
    ended_at?: number;
    /** What was asked. */
    asked: Asked;
    /** What was taken for granted where nobody said. */
    assumed: string[];
    /** The items that are done, in plan order. */
    done: DoneItem[];
    /** Those that are not, and why. */
    not_done: OpenItem[];
    /** What the gates of each item's last attempt found. */
    verified: GateReport[];
    /** The gates that never ran in the last attempt at their item. */
    unchecked: UncheckedGate[];
    /** What humans were asked, and what they answered. */
    questions: ReportQuestion[];
    /** What it took. */
    spent: Spent;
    /** The files. */
    delivered: Delivered;
    /** How to have the files as they were before; absent when it never started. */
    undo?: Undo;
}

/** A question, and what was answered. */
export interface ReportQuestion {
    /** Its id. */
    id: string;
    /** When it was asked. */
    asked_at: number;
    /** Which kind of question it is. */
    kind: string;
    /** The item's key, if it is about one. */
    item?: string;
    /** One line. */
    title: string;
    /** Why it was asked. */
    why: string;
    /** What may be answered. */
    options: string[];
    /** What was answered; absent while it is open. */
    answer?: string;
    /** Who answered. */
    by?: string;
    /** Words that came with the answer. */
    text?: string;
    /** Answers to what was asked in particular. */
    answers?: string[];
    /** Whether nobody answered in time, and what had been said before was taken. */
    expired?: boolean;
}

/** What came with an answer. */
export interface ResolutionData {
    /** Words. */
    text?: string;
    /** Answers, by the ids of the questions. */
    answers?: { [key: string]: string };
    /** Whether nobody answered in time. */
    expired?: boolean;
}

/** An answer. */
export interface ResolveWith {
    /** One of the question's options. */
    action: string;
    /** What comes with it. */
    data?: RespondData | null;
}

/** What comes with an answer. Other keys are ignored. */
export interface RespondData {
    /** What `raise` raises the cap to: tokens, US dollars, turns or minutes; twice what it is if absent. */
    to?: number | null;
    /** Words: another way for `alternative_approach`, an answer for `user_input`, why not for `deny`. */
    text?: string | null;
    /** The answers of `user_input`, by the ids of the questions. */
    answers?: { [key: string]: string };
}

/** One attempt at a work item. */
export interface Run {
    /** Its id. */
    id: string;
    /** When it started. */
    created_at: number;
    /** When it ended. */
    completed_at?: number;
    /** The item; empty when a model makes the goal's plan, or reviews. */
    work_item_id: string;
    /** The goal. */
    goal_id: string;
    /** `command`, `agent`, `planner` or `reviewer`. */
    agent_type: string;
    /** Which attempt, from 1. */
    run_sequence: number;
    /** `running`, `success`, `failure`, `timeout` or `aborted`. */
    status: RunStatus;
    /** The command's exit code. */
    exit_code?: number;
    /** Why it did not succeed. */
    error_message?: string;
    /** Tokens used. */
    tokens_used: number;
    /** How long the command ran, in seconds. */
    time_seconds?: number;
    /** Money used. */
    cost_usd: number;
    /** Answers of the model. */
    turns: number;
    /** The model that answered last. */
    model?: string;
    /** Always empty; artifacts belong to the goal. */
    artifacts: string[];
    /** The end of what the command printed. */
    execution_log?: string;
    /** The scheduler incarnation that holds it. */
    epoch: number;
    /** Each time a later incarnation took it over. */
    continued?: Continuation[];
    /** What the kernel did not confine. */
    unconfined?: string;
    /** What its gates found. */
    gates?: GateResult[];
    /** The run whose work this one reviews, if that is what it does. */
    reviews?: string;
}

/** Where a run stands (`wire.md` §4.2). */
export type RunStatus =
    /** Not ended. */
    | "running"
    /** The work and its gates passed. */
    | "success"
    /** The work or a gate failed. */
    | "failure"
    /** A time limit ended it. */
    | "timeout"
    /** It was stopped. */
    | "aborted";

/** A schedule. */
export interface Schedule {
    /** Its id. */
    id: string;
    /** The title of its goals. */
    title: string;
    /** `active`, `paused`, `broken` or `removed`. */
    status: ScheduleStatus;
    /** Why it is broken, in words. */
    reason?: string;
    /** When its slots are. */
    timing: Timing;
    /** What becomes of slots that were missed: `skip`, `once` or `all`. */
    missed: Missed;
    /** So many failures in a row break it. */
    failures_max: number;
    /** How many there were. */
    failures: number;
    /** When it was accepted, in milliseconds since 1970. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** Who asked for it. */
    created_by: string;
    /** The next slot; none while it is not active. */
    next_slot?: number;
    /** The next three; only where a schedule was asked for. */
    upcoming?: number[];
    /** Its goal that has not ended. */
    running?: string;
    /** How many goals it has submitted. */
    runs: number;
    /** How many of its slots were skipped. */
    skipped: number;
    /** Its last goals, the latest last; only where a schedule was asked for. */
    recent?: SlotRun[];
    /** What is run; only from `schedule.get` and `schedule.add`. */
    goal?: GoalSpec;
    /** Whether it is still in the inbox, waiting for a scheduler. */
    waiting?: boolean;
}

/** What is run, and when. */
export interface ScheduleAddParams {
    /** What is run. */
    goal: GoalSpec;
    /** When. */
    timing: Timing;
    /** What becomes of slots that passed while nothing could run. */
    missed?: Missed;
    /** So many failures in a row break it; 5 if absent. */
    failures_max?: number;
    /** The same key gives the same schedule, for 30 days. */
    idempotencyKey?: string | null;
}

/** Which schedule. */
export interface ScheduleGetParams {
    /** The schedule's id, or a part of it that no other schedule has. */
    scheduleId: string;
}

/** Which schedules. */
export interface ScheduleListParams {
    /** Also those that were removed. */
    removed?: boolean;
    /** At most this many; 50 if absent, 500 at most. */
    limit?: number | null;
    /** After this many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
}

/** The schedules. */
export interface ScheduleListResult {
    /** This page. */
    schedules: Schedule[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** Which schedule. */
export interface ScheduleParams {
    /** The schedule's id, or a part of it that no other schedule has. */
    scheduleId: string;
    /** The same key gives the same answer, for 30 days. */
    idempotencyKey?: string | null;
}

/** What was submitted. */
export interface ScheduleRunResult {
    /** The goal's id. */
    goalId: string;
    /** Whether it waits in the inbox for a scheduler. */
    waiting?: boolean;
}

/** Where a schedule stands. */
export type ScheduleStatus =
    /** Its slots are claimed. */
    | "active"
    /** A person has it stand still. */
    | "paused"
    /** It failed too often; a person looks. */
    | "broken"
    /** It is no more. */
    | "removed";

/** What a scheduler has done. Of runs, the latest 1,000 are looked at for averages. */
export interface SchedulerMetrics {
    /** Goals that have ended. */
    totalGoalsProcessed: number;
    /** Items that are done. */
    totalWorkItemsCompleted: number;
    /** Runs that have begun. */
    totalRunsExecuted: number;
    /** How long a run took on average, in milliseconds; 0 before the first has ended. */
    averageWorkItemDurationMs: number;
    /** How many of the runs that ended did so with success, from 0 to 1; 0 before the first. */
    successRate: number;
    /** Goals that are active. */
    currentActiveGoals: number;
    /** Items that run. */
    currentActiveWorkItems: number;
}

/** How a scheduler is. */
export interface SchedulerState {
    /** `running` while it has goals that are active, else `idle`. */
    status: string;
    /** The goals that are active; 500 at most. */
    activeGoals: string[];
    /** The lanes by name. */
    lanes: { [key: string]: DebugLaneStatus };
    /** When it wrote to the log last, in milliseconds since 1970. */
    lastTickAt?: number;
    /** How many items have failed. */
    errorCount: number;
}

/** The scheduler, as the gateway sees it. */
export interface SchedulerStatus {
    /** Whether it is connected. */
    isConnected: boolean;
    /** Its process id. */
    pid: number | null;
    /** Its version. */
    version: string | null;
    /** How many events the log has that the gateway has not seen yet. */
    lagEvents: number;
    /** How many commands wait in the inbox. */
    waitingCommands: number;
    /** How many schedulers without a log are connected: what they say is shown live, and is nowhere else. */
    legacyPeers?: number;
    /** How it is; absent while none is connected. */
    state?: SchedulerSummary;
    /** What was done. */
    metrics?: WorkSummary;
    /** What it works with; absent until it has told. */
    capabilities?: Capabilities;
}

/** How a scheduler is. */
export interface SchedulerSummary {
    /** `running` while it has goals that are active, else `idle`. */
    status: string;
    /** How many goals are active. */
    activeGoals: number;
    /** When it wrote to the log last, in milliseconds since 1970. */
    lastTickAt?: number;
    /** How many items have failed. */
    errorCount: number;
}

/** Where a session stands. */
export type SessionStatus =
    /** Everything was answered. */
    | "idle"
    /** A message waits for its answer. */
    | "waiting"
    /** A model is asked. */
    | "thinking"
    /** It is over. */
    | "ended";

/** A connection. */
export interface SessionView {
    /** Its session's id, as it was told itself. */
    id: string;
    /** Who it is: `local:` and a user id, `token`, or `token:` and an access token's id. */
    publicKey: string;
    /** What it may do. */
    permissions: string[];
    /** The goals that it named with `goal.subscribe`; empty where it is told about all. */
    subscribedGoals: string[];
    /** Since when, in milliseconds since 1970. */
    connectedAt: number;
}

/** Why slots were not run. */
export type SkipReason =
    /** Nothing could run when they were: the machine or the scheduler was off. */
    | "missed"
    /** The last goal had not ended. */
    | "running";

/** How a goal of a schedule ended. */
export type SlotResult =
    /** It was delivered. */
    | "completed"
    /** It was not. */
    | "failed"
    /** A person stopped it. */
    | "cancelled";

/** A goal that a schedule submitted. */
export interface SlotRun {
    /** The goal's id. */
    goal_id: string;
    /** The slot; none if a person had it run. */
    slot?: number;
    /** When it was submitted. */
    at: number;
    /** When it ended. */
    ended_at?: number;
    /** `completed`, `failed` or `cancelled`, once it ended. */
    result?: SlotResult;
}

/** The goals as they stand. */
export interface Snapshot {
    /** Highest priority first, then oldest first; at most 1000. */
    goals: Goal[];
}

/** The gateway in a snapshot. */
export interface SnapshotGateway {
    /** Its connections. */
    connections: ConnectionCounts;
}

/** The scheduler in a snapshot. */
export interface SnapshotScheduler {
    /** How it is. */
    state: SchedulerState;
    /** What it has done. */
    metrics: SchedulerMetrics;
    /** How the goals are that have not ended; 500 at most. */
    goalStates: GoalExecutionState[];
}

/** What it took. */
export interface Spent {
    /** Milliseconds from when it was accepted to its end, or to its last change. */
    wall_ms: number;
    /** Milliseconds during which steps ran. */
    running_ms: number;
    /** Answers of models. */
    turns: number;
    /** Tokens. */
    tokens: number;
    /** Money. */
    cost_usd: number;
    /** The part of the tokens that was assumed, because nobody told. */
    assumed_tokens: number;
    /** The part of the money that was assumed. */
    assumed_cost_usd: number;
    /** Whether a model without a known price was called: the money is not all of it. */
    unpriced: boolean;
    /** The same by model. */
    by_model: ModelSpent[];
}

/** One step. */
export interface StepView {
    /** Its number in this list, from 1. */
    step: number;
    /** The item's key. */
    item: string;
    /** The run. */
    run_id: string;
    /** Which attempt the run is. */
    attempt: number;
    /** Place in the run's journal. */
    n: number;
    /** The incarnation that ran it. */
    epoch: number;
    /** `tool` or `gate`. */
    kind: string;
    /** What was done. */
    label: string;
    /** When it began. */
    started_at: number;
    /** When it ended. */
    ended_at?: number;
    /** `ok`, `error` or `unknown`; absent while it runs. */
    outcome?: string;
    /** How it ended, in words. */
    found?: string;
    /** What it printed; the middle is left out when it was long. */
    output?: string;
}

/** It is so. */
export interface Success {
    /** Always true. */
    success: boolean;
}

/**
 * One way to tell that the goal is reached (`wire.md` §4.1). The first clients add keys of their own, such as `id`, which
 * are passed over.
 */
export interface SuccessCriterion {
    /** The criterion, in words. */
    description: string;
    /** Whether a program or a judgement decides it. */
    type?: CriterionType;
    /** How it is checked, in words. The first web page calls it `verification`. */
    verification_method?: string;
    /** Whether the goal fails without it. */
    required?: boolean;
}

/** A request to compact. */
export interface SystemGcParams {
    /** The same key is done once, for 30 days. */
    idempotencyKey?: string | null;
}

/** The scheduler was asked to compact. */
export interface SystemGcResult {
    /** Always true. */
    success: boolean;
    /** Whether it waits for a scheduler. */
    waiting?: boolean;
}

/** The gateway's name. */
export interface SystemInfoResult {
    /** Its name. */
    name: string;
    /** Its version. */
    version: string;
    /** Its clock. */
    timestamp: number;
}

/** The methods. */
export interface SystemMethodsResult {
    /** Their names, and then the other names of some. */
    methods: string[];
}

/** The answer to a ping. */
export interface SystemPingResult {
    /** Always true. */
    pong: boolean;
    /** The gateway's clock, in milliseconds since 1970. */
    timestamp: number;
}

/** Connections. Clients of the first implementation read this in two shapes; it has the keys of both. */
export interface SystemStatsResult {
    /** How many there are. */
    connections: ConnectionStats;
    /** Always true: it answers. */
    isRunning: boolean;
    /** Where programs of this machine connect to. */
    address: string;
    /** Whether a scheduler is connected. */
    daemonConnected: boolean;
    /** The same, by its other name. */
    schedulerConnected: boolean;
}

/** How much is to be told. */
export interface SystemStatusParams {
    /** Leaves out the machine, the processes, and what the scheduler has done: they take some milliseconds. */
    brief?: boolean;
}

/** How gateway, link and goals are. */
export interface SystemStatusResult {
    /** The gateway's clock. */
    timestamp: number;
    /** The gateway itself. */
    gateway: GatewayStatus;
    /** The scheduler, as the gateway sees it. */
    scheduler: SchedulerStatus;
    /** How many goals there are in each status. `queued` includes those in the inbox. */
    goals: { [key: string]: number };
    /** The disk of the home; absent when the system does not tell, or the gateway is of an older version. */
    disk: DiskStatus | null;
    /** What runs in each lane, by its name; empty when the gateway is of an older version. */
    lanes: { [key: string]: LaneStatus };
    /** The machine. */
    system?: Machine;
    /** The processes. */
    processes?: Processes;
}

/** A goal of a conversation. */
export interface TaskInfo {
    /** The goal. */
    goalId: string;
    /** Its title. */
    title: string;
    /** Where it stands: `started`, or how it ended. */
    status: string;
    /** How many of its steps are done, in percent; absent before it is planned. */
    progress?: number;
}

/** How capable a model a piece of work needs. */
export type Tier =
    /** Short, well-defined work; the cheapest model. */
    | "simple"
    /** Ordinary work. */
    | "medium"
    /** Work that needs much thought; the most capable model. */
    | "complex";

/** When slots are. */
export type Timing =
    /** By the clock on the wall of a place. */
    | {
        kind: "cron";
        /** Minute, hour, day of the month, month, day of the week. */
        expression: string;
        /** The place: a name of the time zone database. */
        zone: string;
    }
    /** At equal distances, whatever the clocks on walls do. */
    | {
        kind: "every";
        /** The distance, in milliseconds. */
        interval_ms: number;
        /** Slots are whole intervals after this, in milliseconds since 1970; when it was added if absent. */
        anchor_ms?: number | null;
    };

/** An access token, without its secret. */
export interface Token {
    /** Its id. */
    id: string;
    /** What people call it. */
    name: string;
    /** What it allows. */
    permissions: string[];
    /** `live`, `expired` or `revoked`. */
    status: string;
    /** When it was made, in milliseconds since 1970. */
    createdAt: number;
    /** Who made it. */
    createdBy: string;
    /** When it ends by itself. */
    expiresAt?: number;
    /** When somebody ended it. */
    revokedAt?: number;
    /** The key of the device that was paired with it (Ed25519, hex). */
    publicKey?: string;
}

/** What the token is for. */
export interface TokenCreateParams {
    /** What people call it; at most 64 characters. */
    name?: string;
    /** What it allows: `read`, `write`, `approve`, `admin`. All may read; no more than the caller may. */
    permissions?: string[];
    /** When it ends by itself, in milliseconds since 1970; never if absent. */
    expiresAt?: number | null;
    /** The same key gives the same token. */
    idempotencyKey?: string | null;
}

/** The new token. */
export interface TokenCreateResult {
    /** The secret: 64 hex digits. Only its digest is kept. */
    secret: string;
    /** What is kept of it. */
    token: Token;
}

/** The tokens. */
export interface TokenListResult {
    /** All of them. */
    tokens: Token[];
}

/** A token's secret. */
export interface TokenParams {
    /** The secret: 64 hex digits, as `pb gateway pair` prints it. */
    token?: string;
}

/** Which token. */
export interface TokenRevokeParams {
    /** The token's id. */
    tokenId: string;
    /** Taken, and of no effect: what is revoked stays so. */
    idempotencyKey?: string | null;
}

/** A tool that a model calls, as `model.answered` tells it. */
export interface ToolCall {
    /** Its place in the journal of the run. */
    step: number;
    /** The tool. */
    tool: string;
    /** What it is about, in one line. */
    title: string;
}

/** A turn of a conversation. */
export interface Turn {
    /** Its id: `turn-` and its number in the conversation. */
    id: string;
    /** Its number, from 1. */
    n: number;
    /** Who said it: `user`, or `assistant`. */
    role: string;
    /** What. */
    content: string;
    /** When, in milliseconds since 1970. */
    timestamp: number;
    /** More about it. */
    metadata?: TurnMetadata;
}

/** More about a turn. */
export interface TurnMetadata {
    /** Whether no model said it: it is news of a goal, or why there is no answer. */
    worker?: boolean;
    /** The goal that it made, or that it tells about. */
    goalId?: string;
}

/** A gate that never ran in the last attempt. */
export interface UncheckedGate {
    /** The item's key. */
    item: string;
    /** The gate's name. */
    name: string;
    /** Its kind. */
    kind: string;
    /** Whether the item needs it. */
    required: boolean;
}

/** How to have the files as they were. */
export interface Undo {
    /** How they were kept. */
    kept: Kept;
    /** What to type; absent when they were not kept. */
    command?: string;
}

/** US dollars, counted in millionths. */
export type Usd = number;

/** How well an item or a goal is proven. */
export type Verdict =
    /** Every gate passed, and there was at least one. */
    | "verified"
    /** Some of it is proven: an optional gate failed, or some items have no gate. */
    | "partial"
    /** Nothing proves it. */
    | "unverified"
    /** A required gate or the work itself failed. */
    | "failed";

/** What proves an item. */
export interface VerificationPlan {
    /** Its gates. */
    quality_gates: QualityGate[];
    /** Always empty. */
    acceptance_criteria: string[];
}

/** What a work item does. */
export type Work =
    /** Runs one program; needs no model. */
    | {
        kind: "command";
        /** Program and arguments. */
        argv: string[];
        /** Folder to run in, relative to the workspace; the workspace if absent. */
        cwd?: string | null;
        /** Variables set on top of the fixed list. */
        env?: { [key: string]: string };
        /** Longest run, in seconds; [`TIME_LIMIT_S_DEFAULT`] if absent. */
        time_limit_s?: number | null;
        /** What running it twice means. */
        effect?: Effect;
        /** TCP ports it may connect to, besides 22, 80 and 443; never our own. */
        tcp_ports?: number[];
    }
    /** Lets a model act with tools. */
    | {
        kind: "agent";
        /** What the agent is told to do. */
        prompt: string;
        /** Names of the tools that it may use; the default set if empty. */
        tools?: string[];
        /** How much it asks of a model. */
        tier?: Tier;
        /** The model that does it, `provider/model`; the goal's, or by tier, if absent. */
        model?: string | null;
        /** What repeating one of its commands means; its file tools are idempotent in any case. */
        effect?: Effect;
        /** Most answers of the model in one attempt; [`TURNS_DEFAULT`] if absent. */
        max_turns?: number | null;
        /**
         * How long its models and tools may run, in all attempts together, in seconds; no limit of its own if
         * absent.
         */
        time_limit_s?: number | null;
        /** How much of the goal's budget it may use, in percent; all of it if absent. */
        budget_percent?: number | null;
        /** Most tokens that its calls of models may use, in all attempts together. */
        budget_tokens?: number | null;
        /** Most money that its calls of models may cost, in US dollars. */
        budget_usd?: Usd | null;
        /**
         * Whether a conversation that goes nowhere is noticed: repetitions, cycles, no progress, empty
         * answers.
         */
        guards?: boolean;
        /** Tools of which each call waits for a person's yes, beside those of the goal. */
        approve?: string[];
        /** Whether it may add items to the goal while it works. */
        may_add_items?: boolean;
    };

/** A work item. */
export interface WorkItem {
    /** Its id. */
    id: string;
    /** When it was planned. */
    created_at: number;
    /** When it last changed. */
    updated_at: number;
    /** The goal. */
    goal_id: string;
    /** One line. */
    title: string;
    /** What it is to do. */
    description: string;
    /** The first implementation's kind of work; always `code`. */
    item_type: string;
    /** `queued`, `ready`, `in_progress`, `verify`, `done`, `failed`, `blocked` or `skipped`. */
    status: ItemStatus;
    /** The goal's priority. */
    priority: number;
    /** Ids of the items it needs, and of those that were added below them. */
    dependencies: string[];
    /** Ids of the items that need it. */
    blocks: string[];
    /** Always `M`. */
    estimated_effort: string;
    /** How often a failed attempt was repeated. */
    retry_count: number;
    /** How often it may be. */
    max_retries: number;
    /** What proves it. */
    verification_plan: VerificationPlan;
    /** `not_started`, `passed`, `failed` or `skipped`. */
    verification_status: string;
    /** Its key in the goal file. */
    key: string;
    /** `command` or `agent`. */
    kind: string;
    /** Its lane. */
    lane: Lane;
    /** How well it is proven. */
    verdict?: Verdict;
    /** Not started again before this time. */
    not_before?: number;
    /** What went wrong last. */
    error?: Error;
    /** Id of the item whose run added it; none for one of the plan. */
    added_by?: string;
    /** Whether another plan took its place. */
    superseded?: boolean;
}

/** Which items. */
export interface WorkItemListParams {
    /** Only those of this goal. */
    goalId?: string | null;
    /** Only those in this status. */
    status?: string | null;
    /** At most so many; 50 if absent, 500 at most. */
    limit?: number | null;
    /** After so many. */
    offset?: number | null;
    /** What comes after the page that told this as `nextCursor`. Rows that come in between neither repeat nor hide others. */
    cursor?: string | null;
}

/** A page of items. */
export interface WorkItemListResult {
    /** The page. */
    workItems: WorkItem[];
    /** How many there are in all. */
    total: number;
    /** Where the next page begins; absent on the last one. */
    nextCursor?: string;
}

/** What was done, of all goals that there are. */
export interface WorkSummary {
    /** Goals that have ended. */
    goalsProcessed: number;
    /** Items that are done. */
    workItemsCompleted: number;
    /** Tokens that were paid for. */
    totalTokensUsed: number;
    /** How long a run took on average, of the latest 1,000, in milliseconds. */
    averageCompletionTime: number;
}

/** The items. */
export interface WorkitemByGoalResult {
    /** In plan order. */
    workItems: WorkItem[];
}

/** The attempts. */
export interface WorkitemRunsResult {
    /** First attempt first. */
    runs: Run[];
}
