import type { CatalogueEntry } from './catalogue.ts';
import type { Campaign } from './wire.ts';

/** How an order goes, in one word. */
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

/** So many orders with this story, each with so many attempts. Fixed, not drawn: the counts hold for every seed. */
export interface PlanLine {
  readonly story: Story;
  readonly attempts: number;
  readonly orders: number;
}

/** A campaign, and how many of its rows have been called. */
export interface CampaignPlan {
  readonly key: string;
  readonly assistant: CatalogueEntry['key'];
  readonly name: string;
  readonly status: Campaign['status'];
  readonly isCancelled: boolean;
  readonly rows: number;
  readonly calls: number;
}

const line = (story: Story, attempts: number, orders: number): PlanLine => ({ story, attempts, orders });

/** Organisation a: 720 calls, 2,070 attempts (42 pages of 50, the last one short). Organisation b: 150 calls, 500 attempts (10 full pages of 50). */
export const CALL_PLAN: { readonly a: readonly PlanLine[]; readonly b: readonly PlanLine[] } = {
  a: [
    line('answered', 1, 70),
    line('answered', 2, 80),
    line('answered', 3, 70),
    line('answered', 4, 60),
    line('answered', 5, 50),
    line('answered', 6, 30),
    line('exhausted', 3, 60),
    line('exhausted', 4, 60),
    line('exhausted', 6, 40),
    line('ivr', 2, 24),
    line('screened', 3, 16),
    line('silent', 1, 12),
    line('errored', 2, 20),
    line('cancelled', 0, 14),
    line('cancelled', 2, 16),
    line('scheduled', 0, 20),
    line('scheduled', 3, 16),
    line('inbound', 1, 36),
    line('queued', 1, 6),
    line('queued', 3, 6),
    line('calling', 1, 4),
    line('calling', 2, 4),
    line('initializing', 0, 6),
  ],
  b: [
    line('answered', 1, 10),
    line('answered', 2, 15),
    line('answered', 3, 20),
    line('answered', 4, 20),
    line('answered', 5, 20),
    line('answered', 6, 10),
    line('exhausted', 4, 15),
    line('exhausted', 6, 10),
    line('ivr', 2, 4),
    line('screened', 3, 4),
    line('silent', 1, 3),
    line('errored', 3, 3),
    line('cancelled', 0, 3),
    line('scheduled', 0, 4),
    line('inbound', 1, 4),
    line('queued', 1, 2),
    line('calling', 1, 2),
    line('initializing', 0, 1),
  ],
};

/** Organisation a: 8 campaigns, 1,440 rows. Organisation b: 3 campaigns, 185 rows. */
export const CAMPAIGN_PLAN: { readonly a: readonly CampaignPlan[]; readonly b: readonly CampaignPlan[] } = {
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
    { key: 'overdue', assistant: 'invoice', name: 'Factures échues', status: 'draft', isCancelled: false, rows: 45, calls: 0 },
  ],
};
