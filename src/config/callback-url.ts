/** A URL of a router that receives the messages of subscriptions. */
export interface CallbackUrl {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Begins with a slash. */
  readonly path: string;
}

/** The accepted form, as in the message "must be …". */
export const CALLBACK_URL_FORM =
  'http or https URLs without user, query and fragment, whose paths have only letters, digits and . _ ~ - between single slashes';

/** Excludes each character that two programs may read differently: `@`, `%`, `\`, `?`, `#`. */
const PLAIN_URL = /^https?:\/\/[\w.:[\]-]+((?:\/[\w.~-]+)*\/?)$/i;

/**
 * Parses a callback URL. Undefined unless the URL is in its plain form: a path with dot segments,
 * which a parser removes, is not.
 */
export function parseCallbackUrl(text: string): CallbackUrl | undefined {
  const writtenPath = PLAIN_URL.exec(text)?.[1];
  const url = writtenPath === undefined ? null : URL.parse(text);
  if (!url || url.pathname !== (writtenPath || '/')) return undefined;
  return { origin: url.origin, path: url.pathname };
}

/** Whether a URL is one of the permitted ones or below it, by whole segments of its path. */
export function isBelow({ origin, path }: CallbackUrl, permitted: CallbackUrl): boolean {
  const prefix = permitted.path.replace(/\/$/, '');
  return origin === permitted.origin && (path === prefix || path.startsWith(`${prefix}/`));
}
