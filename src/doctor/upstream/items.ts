import { isWireObject, toId, type WireObject } from '#binding/wire-object.ts';
import type { Identified, Page } from '#pagination/list.ts';
import { isPathSegment } from '#rest/url.ts';
import { isUsable, type Probe } from './probe-client.ts';

/** A page of a list as one probe has read it. */
export interface ProbedPage extends Page<Identified> {
  readonly probe: Probe;
  readonly objects: readonly WireObject[];
}

/** An id that a path can contain; undefined for any other value. */
export function toPathId(value: unknown): string | undefined {
  const id = toId(value);
  return id !== undefined && isPathSegment(id) ? id : undefined;
}

/** @returns undefined if the response is no list with this key */
export function toPage(probe: Probe, key: string): ProbedPage | undefined {
  const items = isUsable(probe) && isWireObject(probe.json) ? probe.json[key] : undefined;
  if (!Array.isArray(items)) return undefined;
  const objects = items.filter(isWireObject);
  const identified = objects.flatMap(({ id }) => {
    const text = toPathId(id);
    return text === undefined ? [] : [{ id: text }];
  });
  return { probe, objects, items: identified, served: items.length };
}

/** As `toPage`; a rejected or missing page past the start is empty, as the gateway reads it. */
export function toPageOrEmpty(probe: Probe, key: string): ProbedPage | undefined {
  const isPastEnd = !probe.isWebPage && [400, 404, 422].includes(probe.status ?? 0);
  return isPastEnd ? { probe, objects: [], items: [], served: 0 } : toPage(probe, key);
}
