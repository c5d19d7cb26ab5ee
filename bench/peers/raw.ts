/** The limit that no gateway can exceed: Node's HTTP server with prepared responses. */
import { createServer } from 'node:http';
import { kinds } from '../fixture/operations.ts';
import { HOST, port } from './environment.ts';

const bodies = new Map(
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
    const body = bodies.get(
      chunks.length === 1 ? String(chunks[0]) : String(Buffer.concat(chunks)),
    );
    const status = body ? 200 : 404;
    response
      .writeHead(status, {
        'content-type': 'application/json',
        'content-length': body?.byteLength ?? 0,
      })
      .end(body);
  });
}).listen(port, HOST);
