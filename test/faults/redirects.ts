import { type FaultGroup, fault, faults, responseFault } from './fault.ts';
import { status, withHeaders } from './faulty-responses.ts';

const UNAVAILABLE = { outcome: { code: 'UPSTREAM_UNAVAILABLE' } } as const;
const CODES = [301, 302, 303, 307, 308];

/** It sends us elsewhere: nobody goes. */
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
      { ...UNAVAILABLE, remark: 'nobody goes there, nor does the key' },
    ),
    responseFault(
      'redirects to itself',
      ({ request, response }) =>
        void response.writeHead(302, { location: request.url ?? '' }).end(),
      UNAVAILABLE,
    ),
    responseFault('redirects to nowhere', status(302), UNAVAILABLE),
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
      { outcome: 'its value', remark: 'nobody goes there' },
    ),
  ],
};
