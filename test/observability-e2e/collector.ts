import { createServer } from 'node:http';
import { listenOnFreePort } from '../support/served-gateway.ts';

/** A span in OTLP's JSON format. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 2: server, 3: client. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Name of the service that sent the span. */
  readonly service: string | undefined;
}

export interface Collector extends AsyncDisposable {
  readonly origin: string;
  readonly spans: readonly CollectedSpan[];
  /** Paths of the received requests. */
  readonly paths: readonly string[];
}

type Attributes = readonly {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}[];

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'service'> & {
        readonly attributes: Attributes;
      })[];
    }[];
  }[];
}

/** Starts a trace collector for `OTEL_EXPORTER_OTLP_ENDPOINT` with the protocol `http/json`. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const paths: string[] = [];
  const server = createServer(async (request, response) => {
    paths.push(request.url ?? '');
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    spans.push(...toCollectedSpans(JSON.parse(Buffer.concat(parts).toString()) as Export));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  const port = await listenOnFreePort(
    (candidate) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(candidate, '127.0.0.1', () => resolve(candidate));
      }),
  );
  return {
    origin: `http://127.0.0.1:${port}`,
    spans,
    paths,
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function toCollectedSpans({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...span,
        attributes: toRecord(span.attributes),
        service: toRecord(resource.attributes)['service.name'],
      })),
    ),
  );
}

function toRecord(attributes: Attributes): Record<string, string> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]),
  );
}
