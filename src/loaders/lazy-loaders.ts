import type { CallStatus } from '#generated/revox-api.ts';
import type { CampaignRowFilter } from '#rest/revox-api.ts';
import type { Loaders } from './loaders.ts';

/** Loaders that are created when an operation loads its first object: many operations load none. */
export class LazyLoaders implements Loaders {
  readonly #create: () => Loaders;
  #created: Loaders | undefined;

  constructor(create: () => Loaders) {
    this.#create = create;
  }

  get #loaders(): Loaders {
    this.#created ??= this.#create();
    return this.#created;
  }

  call(id: string): ReturnType<Loaders['call']> {
    return this.#loaders.call(id);
  }

  assistant(id: string): ReturnType<Loaders['assistant']> {
    return this.#loaders.assistant(id);
  }

  campaign(id: string): ReturnType<Loaders['campaign']> {
    return this.#loaders.campaign(id);
  }

  node(id: string): ReturnType<Loaders['node']> {
    return this.#loaders.node(id);
  }

  callAttempts(statuses: readonly CallStatus[]): ReturnType<Loaders['callAttempts']> {
    return this.#loaders.callAttempts(statuses);
  }

  campaignRows(campaignId: string, filter: CampaignRowFilter): ReturnType<Loaders['campaignRows']> {
    return this.#loaders.campaignRows(campaignId, filter);
  }

  assistants(): ReturnType<Loaders['assistants']> {
    return this.#loaders.assistants();
  }

  campaigns(): ReturnType<Loaders['campaigns']> {
    return this.#loaders.campaigns();
  }
}
