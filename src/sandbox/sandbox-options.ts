import {
  type ArgumentRule,
  checkOptions,
  FLAG,
  FUNCTION,
  isObject,
  objectWith,
  oneOf,
  wholeNumber,
} from '#check-arguments.ts';
import { API_VERSIONS, type ApiVersion } from '#sandbox/api/versions.ts';
import type { StartTimer } from './faults.ts';
import type { WebhookOptions } from './webhooks.ts';

/**
 * How the fake API behaves. The defaults follow the API documentation literally, with static data.
 */
export interface SandboxOptions {
  /** The same seed and start produce the same data, to the byte. Ids depend on the seed alone. */
  seed?: number;
  /**
   * Milliseconds since the epoch: the data is generated relative to this moment. Default: `now()`.
   */
  startedAt?: number;
  /** The clock, in milliseconds since the epoch. */
  now?: () => number;
  /** The timer for delays in milliseconds; returns a cancel function. */
  startTimer?: StartTimer;
  /** The path before `/call`. Default `/api`. */
  basePath?: string;
  /** The number of the first page of GET /call and of rows. With 1 (default) page 0 is rejected. */
  firstPage?: 0 | 1;
  /**
   * Serves the first page for a lower number, and the last page for a higher one. Default false:
   * 400, and an empty page.
   */
  clampsPageNumber?: boolean;
  /** The cap of `page_size`: a larger size is silently reduced to it. Default: no cap. */
  maxPageSize?: number;
  /**
   * With a cap: whether page n starts at n × the size served (default), or at n × the size
   * requested, which leaves holes.
   */
  capOffset?: 'served' | 'requested';
  /** Every page has this size, and `page_size` is ignored. Default: `page_size` is honoured. */
  fixedPageSize?: number;
  /** GET /call is sorted oldest first. Default false: newest first. */
  oldestFirst?: boolean;
  /** GET /assistants/{id} returns `{ assistant }` instead of the bare object. Default false. */
  wrapsAssistant?: boolean;
  /**
   * The one form of `statuses` that GET /call accepts. Default `comma`. Not for rows: there it is
   * always one comma-joined string.
   */
  arrayFormat?: 'comma' | 'repeat' | 'brackets';
  /** GET /call accepts `statuses` in any format, and filters nothing. Default false. */
  ignoresStatuses?: boolean;
  /** Any key reads the data of the first organization. Default false: 401 for an unknown key. */
  acceptsAnyKey?: boolean;
  /** Responses have a `Date` header, by the sandbox's clock. Default false. */
  sendsDate?: boolean;
  /**
   * The version of the API that determines the form of the responses (see versions.ts). Default
   * `documented`.
   */
  version?: ApiVersion;
  /**
   * Calls progress and new ones arrive as the clock advances (see live-calls.ts). Default false:
   * static data.
   */
  live?: boolean;
  /**
   * When a call in progress ends, the sandbox sends a webhook to the `webhook_url` of its
   * assistant, if there is one. Default: none is sent. The generated assistants have URLs with
   * invented hosts: set your own in `control.data(apiKey).assistants`.
   */
  webhooks?: WebhookOptions;
}

/** For functions that take a sandbox. */
export const SANDBOX = objectWith(['fetch'], 'a sandbox, which `createSandbox()` returns');

const OPTIONS: { readonly [Name in keyof Required<SandboxOptions>]: ArgumentRule } = {
  seed: wholeNumber(0),
  startedAt: wholeNumber(0),
  now: FUNCTION,
  startTimer: FUNCTION,
  basePath: {
    expected: 'a path that begins with a slash and does not end with one, or an empty text',
    accepts: (value) => typeof value === 'string' && /^(\/.*[^/])?$/.test(value),
  },
  firstPage: oneOf(0, 1),
  clampsPageNumber: FLAG,
  maxPageSize: wholeNumber(1),
  capOffset: oneOf('served', 'requested'),
  fixedPageSize: wholeNumber(1),
  oldestFirst: FLAG,
  wrapsAssistant: FLAG,
  arrayFormat: oneOf('comma', 'repeat', 'brackets'),
  ignoresStatuses: FLAG,
  acceptsAnyKey: FLAG,
  sendsDate: FLAG,
  version: oneOf(...API_VERSIONS),
  live: FLAG,
  webhooks: { expected: 'an object, such as {}', accepts: isObject },
};

/** @throws TypeError */
export function checkSandboxOptions(options: unknown): void {
  checkOptions('createSandbox', options, OPTIONS);
}
