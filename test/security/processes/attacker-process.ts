/**
 * The attacker process: `node attacker-process.ts ATTACK URL MILLISECONDS`. It sends its
 * observations to its parent.
 */
import { findAttack } from '../attacks.ts';

const [id = '', url = '', ms = ''] = process.argv.slice(2);
const attack = await findAttack(id);
const observed = await attack.run({ url, signal: AbortSignal.timeout(Number(ms)) });
process.send?.(observed, () => process.exit());
