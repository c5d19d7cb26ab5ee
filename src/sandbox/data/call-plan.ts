import type { Campaign } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';

/** The course of an order, in one word. */
export type Story =
  | 'answered'
  | 'exhausted'
  | 'ivr'
  | 'screened'
  | 'silent'
  | 'errored'
  | 'cancelled'
  | 'scheduled'
  | 'inbound'
  | 'queued'
  | 'calling'
  | 'initializing';

/**
 * The number of orders with this story, and of attempts of each. Fixed, not random: the counts are
 * the same for every seed.
 */
export interface PlanLine {
  readonly story: Story;
  readonly attempts: number;
  readonly orders: number;
}

/** A campaign, and the number of its rows that have been called. */
export interface CampaignPlan {
  readonly key: string;
  readonly assistant: CatalogueEntry['key'];
  readonly name: string;
  readonly status: Campaign['status'];
  readonly isCancelled: boolean;
  readonly rows: number;
  readonly calls: number;
}

const planLine = (story: Story, attempts: number, orders: number): PlanLine => ({
  story,
  attempts,
  orders,
});

/**
 * Organization a: 720 calls, 2,070 attempts (42 pages of 50, the last one short). Organization b:
 * 150 calls, 500 attempts (10 full pages of 50).
 */
export const CALL_PLAN: { readonly a: readonly PlanLine[]; readonly b: readonly PlanLine[] } = {
  a: [
    planLine('answered', 1, 70),
    planLine('answered', 2, 80),
    planLine('answered', 3, 70),
    planLine('answered', 4, 60),
    planLine('answered', 5, 50),
    planLine('answered', 6, 30),
    planLine('exhausted', 3, 60),
    planLine('exhausted', 4, 60),
    planLine('exhausted', 6, 40),
    planLine('ivr', 2, 24),
    planLine('screened', 3, 16),
    planLine('silent', 1, 12),
    planLine('errored', 2, 20),
    planLine('cancelled', 0, 14),
    planLine('cancelled', 2, 16),
    planLine('scheduled', 0, 20),
    planLine('scheduled', 3, 16),
    planLine('inbound', 1, 36),
    planLine('queued', 1, 6),
    planLine('queued', 3, 6),
    planLine('calling', 1, 4),
    planLine('calling', 2, 4),
    planLine('initializing', 0, 6),
  ],
  b: [
    planLine('answered', 1, 10),
    planLine('answered', 2, 15),
    planLine('answered', 3, 20),
    planLine('answered', 4, 20),
    planLine('answered', 5, 20),
    planLine('answered', 6, 10),
    planLine('exhausted', 4, 15),
    planLine('exhausted', 6, 10),
    planLine('ivr', 2, 4),
    planLine('screened', 3, 4),
    planLine('silent', 1, 3),
    planLine('errored', 3, 3),
    planLine('cancelled', 0, 3),
    planLine('scheduled', 0, 4),
    planLine('inbound', 1, 4),
    planLine('queued', 1, 2),
    planLine('calling', 1, 2),
    planLine('initializing', 0, 1),
  ],
};

/** Organization a: 8 campaigns, 1,440 rows. Organization b: 3 campaigns, 185 rows. */
export const CAMPAIGN_PLAN: {
  readonly a: readonly CampaignPlan[];
  readonly b: readonly CampaignPlan[];
} = {
  a: [
    {
      key: 'solar-west',
      assistant: 'solar',
      name: 'Solar leads – West Coast',
      status: 'running',
      isCancelled: false,
      rows: 500,
      calls: 190,
    },
    {
      key: 'debt-lot-1',
      assistant: 'debt',
      name: 'Relance échéances – lot 1',
      status: 'completed',
      isCancelled: false,
      rows: 96,
      calls: 96,
    },
    {
      key: 'dentist-yearly',
      assistant: 'dentist',
      name: 'Détartrage annuel – cabinet des Quais',
      status: 'completed',
      isCancelled: false,
      rows: 64,
      calls: 64,
    },
    {
      key: 'night-shift',
      assistant: 'recruiting',
      name: 'Warehouse night shift – hiring',
      status: 'running',
      isCancelled: false,
      rows: 220,
      calls: 80,
    },
    {
      key: 'quotes-pending',
      assistant: 'renovation',
      name: 'Devis rénovation sans réponse',
      status: 'paused',
      isCancelled: false,
      rows: 150,
      calls: 60,
    },
    {
      key: 'no-bank-link',
      assistant: 'onboarding',
      name: 'Ledgerly – accounts without a bank link',
      status: 'draft',
      isCancelled: false,
      rows: 240,
      calls: 0,
    },
    {
      key: 'outage-7',
      assistant: 'outage',
      name: 'Planned outage – district 7',
      status: 'paused',
      isCancelled: true,
      rows: 130,
      calls: 40,
    },
    {
      key: 'weekend-guests',
      assistant: 'hotel',
      name: 'Harbour Hotel – weekend guests',
      status: 'completed',
      isCancelled: false,
      rows: 40,
      calls: 40,
    },
  ],
  b: [
    {
      key: 'week',
      assistant: 'consultation',
      name: 'Consultations de la semaine',
      status: 'running',
      isCancelled: false,
      rows: 80,
      calls: 48,
    },
    {
      key: 'leavers',
      assistant: 'gym',
      name: 'Win-back – spring leavers',
      status: 'completed',
      isCancelled: false,
      rows: 60,
      calls: 60,
    },
    {
      key: 'overdue',
      assistant: 'invoice',
      name: 'Factures échues',
      status: 'draft',
      isCancelled: false,
      rows: 45,
      calls: 0,
    },
  ],
};
