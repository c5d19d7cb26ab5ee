/**
 * Loaded before the process under test. At exit it writes the URLs of all loaded modules to the
 * file `LOADED_FILE`, one a line.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const { LOADED_FILE = '' } = process.env;
const loaded: string[] = [];
registerHooks({
  load(url, context, nextLoad) {
    loaded.push(url);
    return nextLoad(url, context);
  },
});
process.on('exit', () => writeFileSync(LOADED_FILE, loaded.join('\n')));
