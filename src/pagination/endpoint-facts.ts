import { Fact, MIN_TRUST_MS, type Observation } from './fact.ts';

/**
 * How an endpoint pages, as one operation of one credential believes it. Assigning to a property says that it has been seen to be so.
 * It holds no upstream data.
 */
export interface EndpointFacts {
  /** The number of the first page; undefined until it is found out. */
  readonly firstPage: 0 | 1 | undefined;
  /** Whether the number is configured: then nothing that is served contradicts it. */
  readonly isFirstPageConfigured: boolean;
  /** Whether the credential itself has verified the number lately. */
  readonly isFirstPageTrusted: boolean;
  /**
   * Whether the number must be found out, or verified, before pages are read by it. A wrong 1 does not show in what is served: the first page
   * is missing, and the rest is a list. A wrong 0 shows at the start of a list: page 0 is refused, or empty, or served again as page 1.
   * @param isAtStart the list is read from its start
   */
  needsFirstPageProbe(isAtStart: boolean): Promise<boolean>;
  /** If the look has shown nothing, the next operation looks. */
  endFirstPageProbe(result: { readonly hasLooked: boolean }): void;
  /** @param isConfirmed it has been seen twice */
  observeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void;
  /** What is served contradicts the number: for the rest of this operation it is found out each time. */
  invalidateFirstPage(): void;
  /** Whether page 0 has been served with items lately: then an empty one is an empty list. */
  servesPageZero: boolean;
  /** Whether totals have been seen lately that the pages do not reach, whatever the number of the first page. */
  totalsMislead: boolean;
  /** Items on a full page: as configured, until the upstream turns out to serve fewer, or more. */
  pageSize: number;
  /** Items asked for by one request: the page size, but never more than configured. */
  readonly requestSize: number;
  readonly maxRequestSize: number;
  /** Whether a short page has been seen between fuller ones: then a short page proves nothing, and no cap. */
  leavesHoles: boolean;
  /** Whether the credential itself has seen such a page lately: else the next short page is explained again. */
  readonly areHolesTrusted: boolean;
  /** Whether a page past the end has been seen to repeat the last one. */
  repeatsLastPage: boolean;
}

/** Where the instances of the gateway keep what one credential has seen. Each credential has its own. */
export interface SharedFacts {
  /** Undefined when nothing is noted, or it cannot be read in time. Never rejects. */
  readFirstPage(endpoint: string): Promise<SharedFirstPage | undefined>;
  writeFirstPage(endpoint: string, observation: Observation<0 | 1>, keepForMs: number): void;
}

export interface SharedFirstPage extends Observation<0 | 1> {
  readonly ageMs: number;
}

/** On whose behalf a list is read. */
export interface FactOwner {
  readonly fingerprint: string;
  /** Absent: what is found out stays in the process. */
  readonly sharedFacts?: SharedFacts | undefined;
}

/** A path template such as `/campaigns/{id}/rows`, so there are few. Each list of an operation asks for its own. */
export type FactsByEndpoint = (endpoint: string) => EndpointFacts;

export interface EndpointFactsOptions {
  /** `auto`: it is found out. */
  readonly firstPage: 'auto' | 0 | 1;
  /** Items, as asked for until an endpoint turns out to serve fewer. */
  readonly pageSize: number;
  /** A clock for durations, ms; it never goes back. */
  readonly monotonicNow: () => number;
}

export function createEndpointFacts({
  firstPage,
  pageSize,
  monotonicNow,
}: EndpointFactsOptions): (owner: FactOwner) => FactsByEndpoint {
  const configured = firstPage === 'auto' ? undefined : firstPage;
  const endpoints = new Map<string, EndpointRecord>();
  return (holder) => (name) => {
    let endpoint = endpoints.get(name);
    if (!endpoint) {
      endpoint = new EndpointRecord(name, pageSize, monotonicNow);
      endpoints.set(name, endpoint);
    }
    return new CredentialFacts(endpoint, holder, configured);
  };
}

/** What all credentials have seen of an endpoint. */
class EndpointRecord {
  readonly name: string;
  readonly maxRequestSize: number;
  readonly firstPage: Fact<0 | 1>;
  readonly servesPageZero: Fact<boolean>;
  readonly totalsMislead: Fact<boolean>;
  readonly pageSize: Fact<number>;
  readonly leavesHoles: Fact<boolean>;
  readonly repeatsLastPage: Fact<boolean>;

  constructor(name: string, maxRequestSize: number, monotonicNow: () => number) {
    this.name = name;
    this.maxRequestSize = maxRequestSize;
    this.firstPage = new Fact(monotonicNow);
    this.servesPageZero = new Fact(monotonicNow);
    this.totalsMislead = new Fact(monotonicNow);
    this.pageSize = new Fact(monotonicNow);
    this.leavesHoles = new Fact(monotonicNow);
    this.repeatsLastPage = new Fact(monotonicNow);
  }
}

class CredentialFacts implements EndpointFacts {
  readonly #endpoint: EndpointRecord;
  readonly #owner: FactOwner;
  readonly #credential: string;
  readonly #configured: 0 | 1 | undefined;
  #isInvalidated = false;
  /** One look an operation is enough. */
  #hasLooked = false;
  /** On behalf of all operations of the credential. */
  #isVerifying = false;

  constructor(endpoint: EndpointRecord, owner: FactOwner, configured: 0 | 1 | undefined) {
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#credential = owner.fingerprint;
    this.#configured = configured;
  }

  get firstPage(): 0 | 1 | undefined {
    return this.#configured ?? this.#endpoint.firstPage.valueFor(this.#credential);
  }

  get isFirstPageConfigured(): boolean {
    return this.#configured !== undefined;
  }

  get isFirstPageTrusted(): boolean {
    return this.isFirstPageConfigured || (!this.#isInvalidated && this.#endpoint.firstPage.isTrustedFor(this.#credential));
  }

  async needsFirstPageProbe(isAtStart: boolean): Promise<boolean> {
    if (this.#isInvalidated) return true;
    if (this.#isUsable(isAtStart)) return false;
    await this.#loadSharedFirstPage();
    if (this.#isUsable(isAtStart)) return false;
    this.#isVerifying = this.#endpoint.firstPage.beginVerification(this.#credential);
    return true;
  }

  endFirstPageProbe({ hasLooked }: { readonly hasLooked: boolean }): void {
    this.#hasLooked ||= hasLooked;
    if (this.#isVerifying) this.#endpoint.firstPage.endVerification(this.#credential);
  }

  observeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void {
    if (this.isFirstPageConfigured) return;
    const observation = this.#endpoint.firstPage.observe(this.#credential, number, options);
    if (observation)
      this.#owner.sharedFacts?.writeFirstPage(this.#endpoint.name, observation, Math.max(MIN_TRUST_MS, observation.trustMs));
  }

  invalidateFirstPage(): void {
    this.#isInvalidated = true;
    this.#endpoint.firstPage.invalidate(this.#credential);
  }

  get servesPageZero(): boolean {
    return this.#endpoint.servesPageZero.isTrustedFor(this.#credential);
  }

  set servesPageZero(isSeen: boolean) {
    this.#endpoint.servesPageZero.observe(this.#credential, isSeen);
  }

  get totalsMislead(): boolean {
    return this.#endpoint.totalsMislead.isTrustedFor(this.#credential);
  }

  set totalsMislead(isSeen: boolean) {
    this.#endpoint.totalsMislead.observe(this.#credential, isSeen);
  }

  get maxRequestSize(): number {
    return this.#endpoint.maxRequestSize;
  }

  get requestSize(): number {
    return Math.min(this.pageSize, this.maxRequestSize);
  }

  get pageSize(): number {
    return this.#endpoint.pageSize.valueFor(this.#credential) ?? this.maxRequestSize;
  }

  set pageSize(size: number) {
    this.#endpoint.pageSize.observe(this.#credential, size);
  }

  get leavesHoles(): boolean {
    return this.#endpoint.leavesHoles.valueFor(this.#credential) ?? false;
  }

  set leavesHoles(isSeen: boolean) {
    this.#endpoint.leavesHoles.observe(this.#credential, isSeen);
  }

  get areHolesTrusted(): boolean {
    return this.leavesHoles && this.#endpoint.leavesHoles.isTrustedFor(this.#credential);
  }

  get repeatsLastPage(): boolean {
    return this.#endpoint.repeatsLastPage.valueFor(this.#credential) ?? false;
  }

  set repeatsLastPage(isSeen: boolean) {
    this.#endpoint.repeatsLastPage.observe(this.#credential, isSeen);
  }

  #isUsable(isAtStart: boolean): boolean {
    return ((isAtStart || this.#hasLooked) && this.firstPage === 0) || this.isFirstPageTrusted;
  }

  /** Another instance may have seen it for the same credential. */
  async #loadSharedFirstPage(): Promise<void> {
    const { firstPage, name } = this.#endpoint;
    const { sharedFacts } = this.#owner;
    if (!sharedFacts || firstPage.isInvalidatedFor(this.#credential)) return;
    const shared = await sharedFacts.readFirstPage(name);
    if (shared) firstPage.adopt(this.#credential, shared, shared.ageMs);
  }
}
