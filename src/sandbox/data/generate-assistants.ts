import type { Assistant } from '#sandbox/api/wire.ts';
import { toTimestamp } from '#sandbox/api/wire.ts';
import type { CatalogueEntry } from '#sandbox/data/catalogue/catalogue.ts';
import { createRandom, toId } from './random.ts';

const DAY_MS = 86_400_000;

/** The id of the assistant with this key in the catalogue. */
export function toAssistantId(seed: number, organizationKey: string, key: string): string {
  return toId(seed, organizationKey, 'assistant', key);
}

/** An assistant of the catalogue, as the organization saved it some months ago. */
export function generateAssistant(
  seed: number,
  organization: { key: string; id: string },
  entry: CatalogueEntry,
  startedAt: number,
): Assistant {
  const random = createRandom(seed, organization.key, 'assistant', entry.key);
  const createdAt = startedAt - random.between(90, 240) * DAY_MS - random.between(0, DAY_MS);
  const updatedAt = startedAt - random.between(1, 60) * DAY_MS - random.between(0, DAY_MS);
  return {
    id: toAssistantId(seed, organization.key, entry.key),
    ...entry.settings,
    call_retry_config: entry.retry,
    created_at: toTimestamp(createdAt),
    organization_id: organization.id,
    updated_at: toTimestamp(updatedAt),
  };
}

/**
 * The assistant that a call without a campaign contains, which is not always a listed one. A listed
 * one has the content of the list: a client cache that stores objects by `id` holds one content for
 * an id. A test of a call with other settings puts them there with `SandboxControl.putCall`.
 */
export function generateEmbeddedAssistant(
  seed: number,
  organizationKey: string,
  assistant: Assistant,
  index: number,
): Assistant | null {
  // The assistant has been deleted since.
  if (index % 23 === 5) return null;
  // The assistant was sent with the order: a lookup by its id finds no object.
  if (index % 17 === 3)
    return {
      ...assistant,
      id: toId(seed, organizationKey, 'own-assistant', index),
      name: `${assistant.name} (inline)`,
      webhook_url: null,
    };
  return assistant;
}
