// Grafbase Gateway, by its development server. Arguments: those of `grafbase`. The package `grafbase`
// cannot be installed with `npm ci`: it names packages of platforms that are not published.
import { spawn } from 'node:child_process';

const grafbase = spawn(
  'node_modules/@grafbase/cli-x86_64-unknown-linux-musl/grafbase',
  process.argv.slice(2),
  {
    stdio: ['ignore', 'inherit', 'inherit'],
  },
);
process.once('exit', () => grafbase.kill('SIGKILL'));
grafbase.once('exit', (code) => process.exit(code ?? 1));
