import type { Campaign, CampaignRow } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';
import { CATALOGUE } from '#sandbox/data/catalogue/catalogue.ts';
import { CAMPAIGN_PLAN } from './call-plan.ts';
import type { ContactFacts } from './contacts.ts';
import { generateContact, toCampaignLabel } from './generate-campaigns.ts';
import type { Organization } from './organization.ts';

/** A row of a running campaign that has no call yet. */
export interface CampaignPlace {
  readonly campaign: Campaign;
  readonly row: CampaignRow;
  readonly entry: CatalogueEntry;
  readonly facts: ContactFacts;
}

/**
 * The rows without a call of all running campaigns, in the order in which they are called: each
 * campaign comes to its end at the same time.
 */
export function findCampaignPlaces(
  organization: Organization,
  seed: number,
  startedAt: number,
): readonly CampaignPlace[] {
  const { key, campaigns } = organization;
  return CAMPAIGN_PLAN[key]
    .filter(({ status }) => status === 'running')
    .flatMap((plan) => {
      const { id } = toCampaignLabel(seed, key, plan);
      const campaign = campaigns.find((one) => one.id === id);
      const entry = CATALOGUE[key].find((one) => one.key === plan.assistant);
      if (!campaign || !entry) return [];
      const rows = (organization.rows[id] ?? []).filter(({ call }) => call === undefined);
      return rows.map((row, index) => {
        const { facts } = generateContact(seed, key, plan, entry, row.row_index, startedAt);
        return {
          progress: index / rows.length,
          place: { campaign, row, entry, facts },
        };
      });
    })
    .sort((one, other) => one.progress - other.progress)
    .map(({ place }) => place);
}
