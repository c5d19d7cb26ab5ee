import { getSSEProcessor, type Plugin, processRegularResult } from 'graphql-yoga';
import { isWhole, negotiateMediaType } from '#http/headers/media-type.ts';

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
    },
  };
}
