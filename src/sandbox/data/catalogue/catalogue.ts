import type { Assistant, EndedBy, Json, RetryConfig } from '#sandbox/api/wire.ts';
import type { Market } from '#sandbox/data/contacts.ts';
import { APPOINTMENTS } from './appointments.ts';
import { COMMERCE } from './commerce.ts';
import { COMMUNITY } from './community.ts';
import { DENTAL_CARE } from './dental-care.ts';
import { HOME } from './home.ts';
import { INSURANCE } from './insurance.ts';
import { PEOPLE } from './people.ts';
import { RECEIVABLES } from './receivables.ts';

/**
 * A line of a conversation: a speaker and a text, or a tool with its result and its input. Texts
 * contain `{placeholders}`.
 */
export type Line =
  | readonly ['agent' | 'callee', string]
  | readonly [
      'tool',
      name: string,
      returned: string,
      given: { [key: string]: Json } | string | null,
      failed?: 'failed',
    ];

/**
 * A conversation with a human, and the output extracted from it. A value that is a single
 * placeholder, such as `{amount}`, keeps its type.
 */
export interface Dialogue {
  readonly endedBy: EndedBy;
  readonly endReason: string | null;
  readonly extracted: { readonly [key: string]: Json } | null;
  readonly lines: readonly Line[];
}

/** An assistant and its conversations. */
export interface CatalogueEntry {
  /** Part of the ids: never rename. */
  readonly key: string;
  readonly market: Market;
  /** The range of `{amount}`. */
  readonly amounts: readonly [low: number, high: number];
  /** The columns of a campaign's rows. */
  readonly columns: { readonly [key: string]: string };
  readonly retry: RetryConfig | null;
  readonly settings: Omit<
    Assistant,
    'id' | 'organization_id' | 'created_at' | 'updated_at' | 'call_retry_config'
  >;
  readonly dialogues: readonly Dialogue[];
}

/** The assistants of the two organizations: twelve and four. */
export const CATALOGUE: {
  readonly a: readonly CatalogueEntry[];
  readonly b: readonly CatalogueEntry[];
} = {
  a: [
    RECEIVABLES.debt,
    HOME.solar,
    DENTAL_CARE,
    COMMERCE.hotel,
    COMMERCE.delivery,
    PEOPLE.recruiting,
    HOME.renovation,
    APPOINTMENTS.reminder,
    PEOPLE.onboarding,
    INSURANCE,
    COMMUNITY.outage,
    COMMUNITY.charity,
  ],
  b: [APPOINTMENTS.consultation, COMMUNITY.gym, RECEIVABLES.invoice, PEOPLE.event],
};
