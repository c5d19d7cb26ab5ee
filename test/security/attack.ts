/** An attack on the gateway, or of one tenant on another. The suite runs each against a gateway process with a heap of 256 MiB. */
export interface Attack {
  /** The first column of the table in `docs/reference/security-checklist.md`: the requests and their sender. */
  readonly name: string;
  /** The bound that stops the attack: a setting with its default, or a constant. */
  readonly bound: string;
  /** Settings of the gateway in addition to those of pass-through mode. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Headers that every client needs with these settings, besides its key. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Responds to the gateway's upstream requests, in the upstream's process; undefined: the sandbox responds. */
  respond?(request: Request): Promise<Response> | Response | undefined;
  /** Attacks until the signal aborts, in the attacker's process. It also resolves if the gateway closes connections. */
  run(target: Target): Promise<Observed>;
  /** The maximum number of upstream requests that the attack may cause; default: no bound. */
  readonly maxUpstreamRequests?: (observed: Observed) => number;
  /** Expected outcomes (see `Observed`). At least one must occur, and no other. */
  readonly outcomes: readonly string[];
}

export interface Target {
  /** The URL of the GraphQL endpoint. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/** The result that the attacker observed. */
export interface Observed {
  /** Number of responses by outcome: the code of the first error, `ok` without errors, `HTTP 503` if the body is not a GraphQL response, `closed` for a closed connection. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The largest response, in bytes. */
  readonly maxResponseBytes: number;
}
