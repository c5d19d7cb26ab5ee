import { type FaultGroup, fault, faults, responseFault } from './fault.ts';
import { status, withHeaders } from './faulty-responses.ts';

const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;
const CODES = [301, 302, 303, 307, 308];

/** The upstream redirects; the gateway does not follow. */
export const redirects: FaultGroup = {
  title: 'Redirects',
  faults: [
    faults(
      'redirects to another host:',
      Object.fromEntries(
        CODES.map((code) => [
          String(code),
          { leadTo: (origin: string) => status(code, { location: `${origin}/api/call/x` }) },
        ]),
      ),
      { ...UNAVAILABLE, remark: 'the gateway does not follow, and does not send the key there' },
    ),
    responseFault(
      'redirects to itself',
      ({ request, response }) =>
        void response.writeHead(302, { location: request.url ?? '' }).end(),
      UNAVAILABLE,
    ),
    responseFault('redirects without a location', status(302), UNAVAILABLE),
    fault(
      'names another host in `Refresh`, `Link` and `Alt-Svc`',
      {
        leadTo: (origin) =>
          withHeaders(() => ({
            refresh: `0; url=${origin}/`,
            link: `<${origin}/x>; rel=preload`,
            'alt-svc': `h2="${new URL(origin).host}"`,
          })),
      },
      { outcome: 'value', remark: 'the gateway does not connect to it' },
    ),
  ],
};
