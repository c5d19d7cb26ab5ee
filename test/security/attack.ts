/** One way to harm the gateway, or one tenant by another. The suite plays each against a gateway process with a heap of 256 MiB. */
export interface Attack {
  /** The row of the table in `docs/reference/security-checklist.md`: what is sent, by whom. */
  readonly name: string;
  /** What bounds it: a setting with its default, or a constant. */
  readonly bound: string;
  /** Settings of the gateway, over those of pass-through mode. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Answers the gateway's upstream requests, in the upstream's process; undefined: the sandbox answers. */
  respond?(request: Request): Promise<Response> | Response | undefined;
  /** Attacks until the signal aborts, in the attacker's process. It resolves also when the gateway closes connections. */
  run(target: Target): Promise<Observed>;
  /** Upstream requests that the attack may cause; default: as many as it likes. */
  readonly maxUpstreamRequests?: (observed: Observed) => number;
  /** Outcomes (see `Observed`) that are right; one of them must have been seen, and no other. */
  readonly outcomes: readonly string[];
}

export interface Target {
  /** Of the GraphQL endpoint. */
  readonly url: string;
  readonly signal: AbortSignal;
}

/** What the attacker saw. */
export interface Observed {
  /** Answers by outcome: the code of the first error, `ok` for none, `HTTP 503` where the body is no GraphQL answer, `closed` for a connection that was closed. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The largest answer, bytes. */
  readonly maxAnswerBytes: number;
}
