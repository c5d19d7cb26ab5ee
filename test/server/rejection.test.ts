import { expect, test } from 'vitest';
import { toParseRejection, toRawResponse, toRejectionResponse } from '#server/rejection.ts';

const MALFORMED = [400, 'BAD_USER_INPUT', 'Malformed or incomplete HTTP request.'];

test.each([
  ['ERR_HTTP_REQUEST_TIMEOUT', [408, 'BAD_USER_INPUT', 'The request did not arrive in time.']],
  ['HPE_HEADER_OVERFLOW', [431, 'OPERATION_TOO_COMPLEX', 'The headers are too large.']],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    [413, 'OPERATION_TOO_COMPLEX', 'The extensions of the chunks are too large.'],
  ],
  ['HPE_INVALID_METHOD', MALFORMED],
  ['HPE_INVALID_CONTENT_LENGTH', MALFORMED],
  ['HPE_INVALID_EOF_STATE', MALFORMED],
  ['ECONNRESET', MALFORMED],
  ['', MALFORMED],
])('the parse error "%s" is rejected with %j', (code, expected) => {
  const error = Object.assign(new Error('Parse Error'), code === '' ? {} : { code });
  const rejection = toParseRejection(error);
  expect(rejection).toEqual(expected);
  const [status, expectedCode, message] = expected;
  const { headers, body } = toRejectionResponse(rejection, {});
  expect(JSON.parse(body)).toEqual({ errors: [{ message, extensions: { code: expectedCode } }] });
  expect(headers).not.toHaveProperty('retry-after');
  expect(toRawResponse(rejection, {})).toMatch(
    new RegExp(`^HTTP/1\\.1 ${status} [A-Z].*\r\n\r\n\\{"errors"`, 's'),
  );
});
