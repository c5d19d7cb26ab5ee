interface GatewayError {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly retryAfter?: number };
}

/** The first error of a response, with its code. */
export class RequestError extends Error {
  readonly code: string | undefined;
  /** In seconds. */
  readonly retryAfter: number | undefined;

  constructor([first]: readonly GatewayError[]) {
    super(first?.message);
    this.code = first?.extensions?.code;
    this.retryAfter = first?.extensions?.retryAfter;
  }
}

const UNAVAILABLE = 'The calls are not available right now.';

/** Every code that a reader of a page can meet; others are faults of the page. */
const sentences: Readonly<Record<string, string>> = {
  RATE_LIMITED: 'The telephone service asks for a pause.',
  UPSTREAM_UNAVAILABLE: UNAVAILABLE,
  UPSTREAM_TIMEOUT: UNAVAILABLE,
  UPSTREAM_INVALID_RESPONSE: UNAVAILABLE,
  UNAUTHENTICATED: 'You are signed out. Sign in again to see the calls.',
  FORBIDDEN: 'You may not see this. Ask an administrator of your organization for access.',
};

export function toSentence(error: unknown): string {
  // Without a response of the gateway: a failed connection, or the page of a proxy.
  if (!(error instanceof RequestError)) return UNAVAILABLE;
  const sentence = sentences[error.code ?? ''] ?? 'Something went wrong.';
  return error.retryAfter ? `${sentence} Wait ${Math.ceil(error.retryAfter)} s.` : sentence;
}
