/** Loaded before a process under test: when that ends, all that it has loaded is in the file that `LOADED_FILE` names, a URL a line. */
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
