/**
 * Measures the cost and the savings of compressing a response: `npm run bench:compression`. The
 * input is real responses over the sandbox, truncated to each size; the time is the median of the
 * runs, on one of Node's threads.
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { fileURLsOf } from '../test/support/page-files.ts';
import { createTestGateway } from '../test/support/test-gateway.ts';

const RUNS = 15;

const ROWS_QUERY = `{
  campaigns(first: 8) { nodes { id name rows(first: 100) { nodes {
    id rowIndex inputData
    call {
      id status toPhoneNumber fromPhoneNumber createdAt metadata campaign { name } assistant { id name firstSentence voice { provider voiceId } }
      callAttempts { id status result startedAt endedAt endReason recordingUrl structuredOutput transcript { role content toolName toolArguments } }
    }
  } } } }
}`;

const gateway = createTestGateway();
const send = async (accept: string, init?: RequestInit, file = '') => {
  const response = await gateway.fetch(`/graphql${file}`, {
    ...init,
    headers: { accept, 'content-type': 'application/json' },
  });
  return Buffer.from(await response.arrayBuffer());
};
const rows = await send('application/json', {
  method: 'POST',
  body: JSON.stringify({ query: ROWS_QUERY }),
});
/** GraphiQL's largest file. */
const script = await send('*/*', {}, fileURLsOf(`${await send('text/html')}`)[0]);
if (rows.byteLength < 1_000_000)
  throw new Error(`The response is too short: ${rows.byteLength} bytes, ${rows.subarray(0, 300)}`);

const brotli = (quality: number) => (bytes: Uint8Array) =>
  promisify(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: quality,
    },
  });
const gzipped = (level: number) => (bytes: Uint8Array) => promisify(gzip)(bytes, { level });

const bodies = {
  '10 kB': rows.subarray(0, 10_000),
  '100 kB': rows.subarray(0, 100_000),
  '1 MB': rows.subarray(0, 1_000_000),
  script,
};
const encodings = {
  'gzip 1': gzipped(1),
  'gzip 4': gzipped(4),
  'gzip 6': gzipped(6),
  'br 1': brotli(1),
  'br 3': brotli(3),
  'br 4': brotli(4),
  'br 5': brotli(5),
  'br 6': brotli(6),
  'br 9': brotli(9),
};

const table = [];
for (const [response, bytes] of Object.entries(bodies)) {
  for (const [encoding, compress] of Object.entries(encodings)) {
    const times: number[] = [];
    let sent = 0;
    for (let run = 0; run < (bytes === script ? 3 : RUNS); run += 1) {
      const start = performance.now();
      sent = (await compress(bytes)).byteLength;
      times.push(performance.now() - start);
    }
    const ms = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
    table.push({
      response,
      encoding,
      ms: ms.toFixed(1),
      bytes: sent,
      of: `${((100 * sent) / bytes.byteLength).toFixed(1)} %`,
    });
  }
}
// biome-ignore lint/suspicious/noConsole: the table is the program's output
console.table(table);
