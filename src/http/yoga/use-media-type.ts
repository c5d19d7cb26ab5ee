import { type FetchAPI, getSSEProcessor, type Plugin, processRegularResult } from 'graphql-yoga';
import {
  acceptsCallback,
  isWhole,
  negotiateMediaType,
  toStreamTransport,
} from '#http/headers/media-type.ts';

/**
 * Chooses the media type of a response by the weights of `Accept`, which Yoga ignores. A request
 * that accepts no type is rejected before it is read: Yoga would execute it first.
 */
export function useMediaType(): Plugin {
  const processEventStream = getSSEProcessor();
  return {
    onRequestParse({ request, endResponse, fetchAPI }) {
      if (negotiateMediaType(request.headers.get('accept')) === undefined)
        endResponse(new fetchAPI.Response(null, { status: 406 }));
    },
    onResultProcess({ request, result, setResultProcessor }) {
      if (Symbol.asyncIterator in result) return;
      const mediaType = negotiateMediaType(request.headers.get('accept'));
      if (isWhole(mediaType)) setResultProcessor(processRegularResult, mediaType);
      if (mediaType === 'text/event-stream') setResultProcessor(processEventStream, mediaType);
      if ('data' in result) return;
      if (mediaType === 'multipart/mixed' || needsErrorStatus(request.headers.get('accept')))
        setResultProcessor(processFault, isWhole(mediaType) ? mediaType : 'application/json');
    },
  };
}

/** Whether the client distinguishes a fault from the start of a subscription by the status. */
function needsErrorStatus(accept: string | null): boolean {
  return toStreamTransport(accept) === 'multipart' || acceptsCallback(accept);
}

type Result = Parameters<typeof processRegularResult>[0];

/**
 * The fault of a request whose response would be multipart, or the start of callbacks: JSON with an
 * error status. With the type `application/json` the status of a fault would be 200, as that of a
 * stream.
 */
function processFault(result: Result, fetchAPI: FetchAPI, mediaType: string): Response {
  const response = processRegularResult(result, fetchAPI, 'application/graphql-response+json');
  const status = response.ok ? 400 : response.status;
  const headers = {
    ...Object.fromEntries(response.headers),
    'content-type': `${mediaType}; charset=utf-8`,
  };
  return new fetchAPI.Response(response.body, { status, headers });
}
