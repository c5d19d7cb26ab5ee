import { errorCodeOf } from '#http/error-response.ts';
import type { RequestObserver } from '#observability/request-observer.ts';

/** Reports the status of a response that is no stream, and the code that `errorCodeOf` knows. */
export function reportResponse(
  response: Response,
  observer: Pick<RequestObserver, 'onError' | 'onResponse'>,
): void {
  const code = errorCodeOf(response);
  if (code) observer.onError(code);
  observer.onResponse(response.status);
}
