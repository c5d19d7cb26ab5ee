import { objectPaths } from '#rest/revox-api.ts';
import type { ObjectKind } from './object-kind.ts';
import { toCampaignInterval } from './pace.ts';

/** The phases of a campaign. A running campaign can be paused, and a paused one can run again. */
const PHASES: { readonly [status: string]: number } = {
  draft: 0,
  running: 1,
  paused: 1,
  completed: 2,
};

/** The phase of a campaign that is completed or cancelled. */
const OVER = 2;

/** A campaign is over when it is completed or cancelled. */
export const campaignKind: ObjectKind = {
  name: 'campaign',
  toPath: objectPaths.campaign,
  read: (rest, id, options) => rest.readCampaign(id, options),
  firstInterval: ({ campaignMs }) => campaignMs,
  maxAge: ({ runningCampaignMs }) => runningCampaignMs,
  // An event shows rows as new as the campaign: the last one must show the rows of the end, which a
  // stale page cannot.
  toPageOptions: ({ readVersion, state }) => ({
    notOlderThan: readVersion,
    freshOnly: state.isOver,
  }),
  toState(campaign) {
    const { status, is_cancelled } = toProperties(campaign);
    const phase =
      is_cancelled === true
        ? OVER
        : typeof status === 'string' && Object.hasOwn(PHASES, status)
          ? PHASES[status]
          : undefined;
    const isIdle = status === 'paused' || status === 'draft';
    return {
      isOver: phase === OVER,
      settles: false,
      endedAt: undefined,
      rank: [phase],
      toInterval: (_input, settings) => toCampaignInterval(isIdle, settings),
    };
  },
};

function toProperties(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
