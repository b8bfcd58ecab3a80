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
