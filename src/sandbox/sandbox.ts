import type { EndpointRules } from '#sandbox/api/endpoints.ts';
import { respond } from '#sandbox/api/endpoints.ts';
import { ApiError } from '#sandbox/api/parameters.ts';
import { toVersion } from '#sandbox/api/versions.ts';
import { generateOrganizations } from '#sandbox/data/generate-organization.ts';
import type { LiveCalls } from '#sandbox/data/live-calls.ts';
import { createLiveCalls } from '#sandbox/data/live-calls.ts';
import type { Organization } from '#sandbox/data/organization.ts';
import { advanceScripts } from '#sandbox/data/organization.ts';
import { isUnder } from './base-path.ts';
import type { SandboxControl } from './control.ts';
import { createControl } from './control.ts';
import type { SandboxRequest } from './faults.ts';
import { createFaults } from './faults.ts';
import { checkSandboxOptions, type SandboxOptions } from './sandbox-options.ts';
import { createWebhooks } from './webhooks.ts';

export type { SandboxOptions } from './sandbox-options.ts';

/** One received request and its outcome. */
export interface LoggedRequest {
  readonly method: string;
  /** With its query, without the base path: `/call?page=1&page_size=50`. */
  readonly path: string;
  /** The organization of the request's key; null without a known key. */
  readonly organizationId: string | null;
  /** Null while the request is in flight, and permanently if it was aborted or reset. */
  readonly status: number | null;
  readonly aborted: boolean;
  /** When the request arrived, by the sandbox's clock. */
  readonly at: number;
}

export interface Sandbox {
  readonly basePath: string;
  /**
   * Behaves like the API over a network: an error status is a response, a rejection is a lost
   * connection or an abort.
   */
  fetch(request: Request): Promise<Response>;
  /** The organization with the key `sk_demo_a`, then the one with `sk_demo_b`. */
  readonly organizations: readonly {
    readonly id: string;
    readonly name: string;
    readonly apiKey: string;
  }[];
  /** Every request since the start or `control.clearLog()`, in order of arrival. */
  readonly log: readonly LoggedRequest[];
  readonly control: SandboxControl;
}

/** The seed of the demo: the example operations contain its ids. */
export const DEFAULT_SEED = 20_240_601;

/**
 * Creates a fake Revox API, independent of every other sandbox.
 * @throws TypeError for an unknown or a wrong option
 */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  checkSandboxOptions(options);
  const {
    seed = DEFAULT_SEED,
    now = Date.now,
    startTimer = startNodeTimer,
    basePath = '/api',
    live = false,
    version = 'documented',
  } = options;
  const startedAt = options.startedAt ?? now();
  const rules: EndpointRules = {
    firstPage: options.firstPage ?? 1,
    clampsPageNumber: options.clampsPageNumber ?? false,
    maxPageSize: options.maxPageSize ?? Number.POSITIVE_INFINITY,
    fixedPageSize: options.fixedPageSize,
    capOffset: options.capOffset ?? 'served',
    isOldestFirst: options.oldestFirst ?? false,
    arrayFormat: options.arrayFormat ?? 'comma',
    ignoresStatuses: options.ignoresStatuses ?? false,
    wrapsAssistant: options.wrapsAssistant ?? false,
  };
  const generated = generateOrganizations(seed, startedAt);
  const copies = new Map<
    string,
    { organization: Organization; liveCalls: LiveCalls | undefined }
  >();
  /**
   * Each organization is copied on first use: a sandbox of which only one is used does not pay for
   * both.
   */
  const copyOf = (apiKey: string) => {
    const known = copies.get(apiKey);
    if (known) return known;
    const organization = generated.find((one) => one.apiKey === apiKey)?.copy();
    if (organization === undefined)
      throw new Error(
        `No organization of the sandbox has the key ${apiKey}. The keys are ${generated.map((one) => one.apiKey).join(' and ')}.`,
      );
    const copy = {
      organization,
      liveCalls: live ? createLiveCalls(organization, seed, startedAt) : undefined,
    };
    copies.set(apiKey, copy);
    return copy;
  };
  const currentOrganization = (apiKey: string): Organization => {
    const { organization, liveCalls } = copyOf(apiKey);
    const ended = [
      ...(liveCalls?.advance(now()) ?? []),
      ...advanceScripts(organization, now(), organization.startedScripts),
    ];
    webhooks?.onAdvanced(organization, ended);
    return organization;
  };
  const webhooks =
    options.webhooks &&
    createWebhooks(options.webhooks, {
      seed,
      now,
      startTimer: options.startTimer ?? startBackgroundTimer,
      isLive: live,
      advance: ({ apiKey }) => currentOrganization(apiKey),
    });

  const log: { -readonly [Key in keyof LoggedRequest]: LoggedRequest[Key] }[] = [];
  const faults = createFaults();
  let inFlight = 0;
  let maxInFlight = 0;

  const respondNormally = async (
    request: SandboxRequest,
    url: URL,
    apiKey: string | undefined,
  ): Promise<Response> => {
    try {
      if (!isUnder(basePath, url.pathname)) throw new ApiError(404, 'Route not found');
      if (apiKey === undefined)
        throw new ApiError(401, 'Missing or unknown API key', { 'www-authenticate': 'Bearer' });
      const path = url.pathname.slice(basePath.length);
      return Response.json(
        toVersion(
          version,
          respond(currentOrganization(apiKey), request.method, path, url.searchParams, rules),
        ),
      );
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return Response.json(
        { message: error.message },
        { status: error.status, headers: error.headers },
      );
    }
  };

  return {
    basePath,
    organizations: generated.map(({ id, name, apiKey }) => ({ id, name, apiKey })),
    log,
    control: createControl({
      seed,
      basePath,
      faults,
      startTimer,
      now,
      organizationOf: currentOrganization,
      clearLog() {
        log.length = 0;
        maxInFlight = inFlight;
      },
      requestCounts() {
        const counts = new Map<string, number>();
        for (const { path } of log) counts.set(path, (counts.get(path) ?? 0) + 1);
        return counts;
      },
      inFlight: () => inFlight,
      maxInFlight: () => maxInFlight,
    }),

    async fetch(request) {
      request.signal.throwIfAborted();
      const url = new URL(request.url);
      const key = /^Bearer (\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
      const organization =
        generated.find(({ apiKey }) => apiKey === key) ??
        (options.acceptsAnyKey && key !== undefined ? generated[0] : undefined);
      const path =
        (isUnder(basePath, url.pathname) ? url.pathname.slice(basePath.length) : url.pathname) +
        url.search;
      const entry = {
        method: request.method,
        path,
        organizationId: organization?.id ?? null,
        status: null as number | null,
        aborted: false,
        at: now(),
      };
      log.push(entry);
      inFlight++;
      maxInFlight = Math.max(maxInFlight, inFlight);
      const sandboxRequest: SandboxRequest = {
        method: request.method,
        path,
        organizationId: entry.organizationId,
        request,
      };
      try {
        const response = await abortable(
          request.signal,
          faults.respond(sandboxRequest, () =>
            respondNormally(sandboxRequest, url, organization?.apiKey),
          ),
        );
        entry.status = response.status;
        if (options.sendsDate) response.headers.set('date', new Date(now()).toUTCString());
        return response;
      } catch (error) {
        entry.aborted = request.signal.aborted;
        throw error;
      } finally {
        inFlight--;
      }
    },
  };
}

function startNodeTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

/** It does not keep the process alive: webhooks are due as long as there are calls. */
function startBackgroundTimer(run: () => void, ms: number): () => void {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
}

/** Rejects at once when the signal fires, whatever the sandbox is doing, as `fetch` does. */
function abortable(signal: AbortSignal, response: Promise<Response>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    response.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
