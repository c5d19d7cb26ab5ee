import type { Finding } from '#doctor/finding.ts';

/** How a sentence names a server. */
export interface ServerName {
  /** At the beginning of a sentence. */
  readonly subject: string;
  /** Within a sentence. */
  readonly object: string;
  /** Whether it is a node of a cluster. */
  readonly isNode: boolean;
}

/** The server of `REDIS_URL`, without a cluster. */
export const REDIS: ServerName = { subject: 'Redis', object: 'Redis', isNode: false };

/** The result of one check of one server. */
export interface ServerFinding extends Omit<Finding, 'message'> {
  readonly toMessage: (server: ServerName) => string;
  /** Masters with the same check, verdict and group share a line. @default the message */
  readonly group?: string;
  /** The highest value of a group is shown. @default 0 */
  readonly value?: number;
}

export interface MasterFindings {
  /** `10.0.0.1:6379` */
  readonly address: string;
  readonly findings: readonly ServerFinding[];
}

export function toFinding(
  { toMessage, group, value, ...finding }: ServerFinding,
  server: ServerName,
): Finding {
  return { ...finding, message: toMessage(server) };
}

export function toMasterName(address: string): ServerName {
  const object = `the master ${address}`;
  return { subject: `The master ${address}`, object, isNode: true };
}

const EACH_MASTER: ServerName = { subject: 'Each master', object: 'each master', isNode: true };
const EACH_OTHER_MASTER: ServerName = {
  subject: 'Each other master',
  object: 'each other master',
  isNode: true,
};

interface Group {
  readonly check: string;
  readonly members: Map<string, ServerFinding>;
}

/**
 * One line for a verdict of all masters. If the masters differ, one line for each of them; the most
 * frequent verdict is again one line, if it concerns several masters.
 */
export function mergeFindings(masters: readonly MasterFindings[]): readonly Finding[] {
  const groups = groupFindings(masters);
  const checks = new Set(groups.map(({ check }) => check));
  return [...checks].flatMap((check) =>
    mergeCheck(
      groups.filter((group) => group.check === check),
      masters.length,
    ),
  );
}

function groupFindings(masters: readonly MasterFindings[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { address, findings } of masters) {
    for (const finding of findings) {
      const { check, verdict, group = finding.toMessage(REDIS) } = finding;
      const key = `${check} ${verdict} ${group}`;
      if (!groups.has(key)) groups.set(key, { check, members: new Map() });
      groups.get(key)?.members.set(address, finding);
    }
  }
  return [...groups.values()];
}

function mergeCheck(groups: readonly Group[], masterCount: number): readonly Finding[] {
  const largest = groups.reduce((a, b) => (b.members.size > a.members.size ? b : a));
  return groups
    .toSorted((a, b) => a.members.size - b.members.size)
    .flatMap((group) => {
      const { size } = group.members;
      if (size > 1 && size === masterCount) return [toCommonLine(group, EACH_MASTER)];
      if (size > 1 && group === largest && isDisjoint(group, groups))
        return [toCommonLine(group, EACH_OTHER_MASTER)];
      return toNamedLines(group);
    });
}

/** Whether no other group has a master of this group. */
function isDisjoint(group: Group, groups: readonly Group[]): boolean {
  const others = groups.filter((other) => other !== group);
  return [...group.members.keys()].every((address) =>
    others.every(({ members }) => !members.has(address)),
  );
}

function toNamedLines({ members }: Group): readonly Finding[] {
  return [...members].map(([address, finding]) =>
    withMasters(toFinding(finding, toMasterName(address)), [address]),
  );
}

function toCommonLine({ members }: Group, name: ServerName): Finding {
  const [first, ...others] = [...members.values()] as [ServerFinding, ...ServerFinding[]];
  const shown = others.reduce(
    (highest, other) => ((other.value ?? 0) > (highest.value ?? 0) ? other : highest),
    first,
  );
  return withMasters(toFinding(shown, name), [...members.keys()]);
}

function withMasters(finding: Finding, masters: readonly string[]): Finding {
  return { ...finding, details: { ...finding.details, masters } };
}
