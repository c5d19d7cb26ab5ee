/** The limit: Node's HTTP server, and answers that are there before anybody asks. What no gateway can be faster than. */
import { createServer } from 'node:http';
import { kinds } from '../fixture/operations.ts';
import { HOST, port } from './environment.ts';

const answers = new Map(
  kinds.flatMap(({ at }) =>
    [at(0), at(1)].map(({ query, variables, data }) => [
      JSON.stringify({ query, variables }),
      Buffer.from(JSON.stringify({ data })),
    ]),
  ),
);

createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const answer = answers.get(chunks.length === 1 ? String(chunks[0]) : String(Buffer.concat(chunks)));
    const status = answer ? 200 : 404;
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': answer?.byteLength ?? 0 }).end(answer);
  });
}).listen(port, HOST);
