import { Fact, MIN_TRUST_MS, type Observation } from './fact.ts';

/**
 * The paging facts of one endpoint for one credential, as one operation uses them. A setter records
 * an observation. The facts contain no upstream data.
 */
export interface EndpointFacts {
  /**
   * The number of the first page: configured, or observed with this credential, or else with
   * others. Undefined if it is unknown or contradicted.
   */
  readonly firstPage: 0 | 1 | undefined;
  /** Whether the number is configured: then the gateway does not check it against responses. */
  readonly isFirstPageConfigured: boolean;
  /** Whether the number is configured, or was recently verified with the credential itself. */
  readonly isFirstPageTrusted: boolean;
  /**
   * Returns whether a probe is due that determines or verifies the number of the first page. If so,
   * the calling function must run the probe, and then call `endFirstPageProbe`. If the gateway
   * assumes 1 and the upstream starts at 0, no response shows it: the list only lacks its first
   * page. If the gateway assumes 0 and the upstream starts at 1, the start of the list shows it:
   * page 0 is rejected, empty, or repeated as page 1.
   * @param isAtStart the list is read from its start
   */
  beginFirstPageProbe(isAtStart: boolean): Promise<boolean>;
  /** If the probe was inconclusive, the next operation probes again. */
  endFirstPageProbe(result: { readonly hasProbed: boolean }): void;
  /** @param isConfirmed the number has been observed twice */
  observeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void;
  /**
   * Records that upstream responses contradict the number. Until the operation ends, each further
   * generation of the list probes it.
   */
  invalidateFirstPage(): void;
  /** Whether page 0 has recently been served with items: then an empty page 0 is an empty list. */
  servesPageZero: boolean;
  /**
   * Whether the upstream has recently reported totals that the pages do not reach, whatever the
   * number of the first page.
   */
  hasWrongTotals: boolean;
  /** Whether a page of one item has recently shown no total: then a total needs a whole page. */
  totalsNeedWholePage: boolean;
  /** Items on a full page: as configured, until the upstream serves fewer or more. */
  pageSize: number;
  /** Items requested per page: the page size, but never more than configured. */
  readonly requestSize: number;
  readonly maxRequestSize: number;
  /**
   * Whether a short page has been observed between fuller ones: then a short page proves neither
   * the end of the list nor a cap.
   */
  hasHoles: boolean;
  /**
   * Whether a hole was recently observed with the credential itself: if not, the next short page is
   * classified again.
   */
  readonly areHolesTrusted: boolean;
  /** Whether a page past the end has been observed to repeat the last one. */
  repeatsLastPage: boolean;
}

/**
 * The observations of one credential, shared between instances of the gateway. Each credential has
 * its own.
 */
export interface SharedFacts {
  /** Undefined if no observation is stored, or if reading it takes too long. Never rejects. */
  readFirstPage(endpoint: string): Promise<SharedFirstPage | undefined>;
  writeFirstPage(endpoint: string, observation: Observation<0 | 1>, keepForMs: number): void;
}

export interface SharedFirstPage extends Observation<0 | 1> {
  readonly ageMs: number;
}

/** The credential that a list is read with. */
export interface FactOwner {
  readonly fingerprint: string;
  /** If absent, observations stay in the process. */
  readonly sharedFacts?: SharedFacts | undefined;
}

/**
 * Looks up facts by path template, such as `/campaigns/{id}/rows`: the number of templates is
 * small. Each list of an operation gets its own `EndpointFacts`.
 */
export type FactsByEndpoint = (endpoint: string) => EndpointFacts;

export interface EndpointFactsOptions {
  /** `auto`: the gateway probes each endpoint. */
  readonly firstPage: 'auto' | 0 | 1;
  /** Items requested per page, until an endpoint turns out to serve fewer. */
  readonly pageSize: number;
  /** A monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

export function createEndpointFacts({
  firstPage,
  pageSize,
  monotonicNow,
}: EndpointFactsOptions): (owner: FactOwner) => FactsByEndpoint {
  const configured = firstPage === 'auto' ? undefined : firstPage;
  const endpoints = new Map<string, EndpointRecord>();
  return (owner) => (name) => {
    let endpoint = endpoints.get(name);
    if (!endpoint) {
      endpoint = new EndpointRecord(name, pageSize, monotonicNow);
      endpoints.set(name, endpoint);
    }
    return new CredentialFacts(endpoint, owner, configured);
  };
}

/** The observations of all credentials about one endpoint. */
class EndpointRecord {
  readonly name: string;
  readonly maxRequestSize: number;
  readonly firstPage: Fact<0 | 1>;
  readonly servesPageZero: Fact<boolean>;
  readonly hasWrongTotals: Fact<boolean>;
  readonly totalsNeedWholePage: Fact<boolean>;
  readonly pageSize: Fact<number>;
  readonly hasHoles: Fact<boolean>;
  readonly repeatsLastPage: Fact<boolean>;

  constructor(name: string, maxRequestSize: number, monotonicNow: () => number) {
    this.name = name;
    this.maxRequestSize = maxRequestSize;
    this.firstPage = new Fact(monotonicNow);
    this.servesPageZero = new Fact(monotonicNow);
    this.hasWrongTotals = new Fact(monotonicNow);
    this.totalsNeedWholePage = new Fact(monotonicNow);
    this.pageSize = new Fact(monotonicNow);
    this.hasHoles = new Fact(monotonicNow);
    this.repeatsLastPage = new Fact(monotonicNow);
  }
}

class CredentialFacts implements EndpointFacts {
  readonly #endpoint: EndpointRecord;
  readonly #owner: FactOwner;
  readonly #credential: string;
  readonly #configured: 0 | 1 | undefined;
  #isInvalidated = false;
  /** One probe per list and operation is enough. */
  #hasProbed = false;
  /** This operation verifies the number for all operations of the credential. */
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
    return (
      this.isFirstPageConfigured ||
      (!this.#isInvalidated && this.#endpoint.firstPage.isTrustedFor(this.#credential))
    );
  }

  async beginFirstPageProbe(isAtStart: boolean): Promise<boolean> {
    if (this.#isInvalidated) return true;
    if (this.#isUsable(isAtStart)) return false;
    await this.#loadSharedFirstPage();
    if (this.#isUsable(isAtStart)) return false;
    this.#isVerifying = this.#endpoint.firstPage.beginVerification(this.#credential);
    return true;
  }

  endFirstPageProbe({ hasProbed }: { readonly hasProbed: boolean }): void {
    this.#hasProbed ||= hasProbed;
    if (this.#isVerifying) this.#endpoint.firstPage.endVerification(this.#credential);
  }

  observeFirstPage(number: 0 | 1, options: { readonly isConfirmed: boolean }): void {
    if (this.isFirstPageConfigured) return;
    const observation = this.#endpoint.firstPage.observe(this.#credential, number, options);
    if (observation)
      this.#owner.sharedFacts?.writeFirstPage(
        this.#endpoint.name,
        observation,
        Math.max(MIN_TRUST_MS, observation.trustMs),
      );
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

  get hasWrongTotals(): boolean {
    return this.#endpoint.hasWrongTotals.isTrustedFor(this.#credential);
  }

  set hasWrongTotals(isSeen: boolean) {
    this.#endpoint.hasWrongTotals.observe(this.#credential, isSeen);
  }

  get totalsNeedWholePage(): boolean {
    return this.#endpoint.totalsNeedWholePage.isTrustedFor(this.#credential);
  }

  set totalsNeedWholePage(isSeen: boolean) {
    this.#endpoint.totalsNeedWholePage.observe(this.#credential, isSeen);
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

  get hasHoles(): boolean {
    return this.#endpoint.hasHoles.valueFor(this.#credential) ?? false;
  }

  set hasHoles(isSeen: boolean) {
    this.#endpoint.hasHoles.observe(this.#credential, isSeen);
  }

  get areHolesTrusted(): boolean {
    return this.hasHoles && this.#endpoint.hasHoles.isTrustedFor(this.#credential);
  }

  get repeatsLastPage(): boolean {
    return this.#endpoint.repeatsLastPage.valueFor(this.#credential) ?? false;
  }

  set repeatsLastPage(isSeen: boolean) {
    this.#endpoint.repeatsLastPage.observe(this.#credential, isSeen);
  }

  #isUsable(isAtStart: boolean): boolean {
    return ((isAtStart || this.#hasProbed) && this.firstPage === 0) || this.isFirstPageTrusted;
  }

  /** Another instance may have observed the number for the same credential. */
  async #loadSharedFirstPage(): Promise<void> {
    const { firstPage, name } = this.#endpoint;
    const { sharedFacts } = this.#owner;
    if (!sharedFacts || firstPage.isInvalidatedFor(this.#credential)) return;
    const shared = await sharedFacts.readFirstPage(name);
    if (shared) firstPage.adopt(this.#credential, shared, shared.ageMs);
  }
}
