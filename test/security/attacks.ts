import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Attack } from './attack.ts';

/** An attack and its id for other processes. */
export interface NamedAttack {
  /** File and index, `execution.ts:3` for one. */
  readonly id: string;
  readonly attack: Attack;
}

const FOLDER = join(import.meta.dirname, 'attacks');

/** All attacks, in the order of their files. */
export async function loadAttacks(): Promise<readonly NamedAttack[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));
  const loaded = await Promise.all(
    files.sort().map(async (file) => {
      const module = (await import(join(FOLDER, file))) as { readonly attacks?: readonly Attack[] };
      return (module.attacks ?? []).map((attack, index) => ({ id: `${file}:${index}`, attack }));
    }),
  );
  return loaded.flat();
}

/** @throws Error if no attack has this id */
export async function findAttack(id: string): Promise<Attack> {
  const found = (await loadAttacks()).find((named) => named.id === id);
  if (!found) throw new Error(`No attack is named ${id}.`);
  return found.attack;
}
