import { checkArrayFormat } from '#doctor/checks/array-format.ts';
import { type ConnectionScene, checkConnection } from '#doctor/checks/connection.ts';
import { checkContract } from '#doctor/checks/contract.ts';
import { readEndpoints } from '#doctor/checks/endpoints.ts';
import { checkFirstPage } from '#doctor/checks/first-page.ts';
import { checkHeaders } from '#doctor/checks/headers.ts';
import { checkListOrder } from '#doctor/checks/list-order.ts';
import { checkPageSize } from '#doctor/checks/page-size.ts';
import { checkPastTheEnd } from '#doctor/checks/past-the-end.ts';
import { toPage } from './items.ts';
import { isUsable } from './probe-client.ts';

/**
 * Checks the upstream. The plan of the requests, of which each answers several questions:
 *
 * | requests | path | questions |
 * | --- | --- | --- |
 * | 1 | `/assistants` | connection, redirects, certificate, clock, key, shape |
 * | 1 | `/assistants` with a made-up key | whether keys are distinguished |
 * | 2–3 | `/call`, pages 0, 1 and 2 | first page, page size, order, shape |
 * | 1–2 | `/call`, a large page, and one of odd size | largest page, `page_size`, holes, compression |
 * | 1 | `/call`, far past the end | what comes past the end |
 * | 2 | `/campaigns`, `/campaigns/{id}` | shape |
 * | 1–2 | `/campaigns/{id}/rows`, pages 0 and 1 | first page of rows, shape, ids of orders |
 * | 1 | `/call/{id}` of an order | shape |
 * | 1 | `/call/{id}` with the id of an attempt | whether it is accepted |
 * | 1 | `/assistants/{id}` of that order | shape, whether it equals the embedded one |
 * | 2–5 | `/call` with `statuses` | which format filters |
 *
 * That is 14 to 20 requests. `ProbeClient` refuses any further one.
 */
export async function checkUpstream(scene: ConnectionScene): Promise<void> {
  const { client, settings, connectionLog, add } = scene;
  const { revox } = settings;
  const { pageSize } = revox;
  const assistants = await checkConnection(scene);
  if (!assistants) return;
  const pages = await checkFirstPage(client, revox, add);
  if (pages) {
    add(await checkPageSize({ ...revox, client, pages }));
    add(await checkPastTheEnd(client, pageSize, pages));
    add(checkListOrder(pages.first));
  }
  const isRevox = toPage(assistants, 'assistants') !== undefined;
  if (!pages && !isRevox) {
    add({
      check: 'endpoints',
      verdict: 'failure',
      message:
        'Neither GET /assistants nor GET /call responds as documented: check REVOX_BASE_URL.',
    });
    return;
  }
  const { orderStatuses, attemptProbe } = await readEndpoints({
    client,
    pageSize,
    attempts: pages?.first,
    firstPage: pages?.firstPage,
    assistants,
    add,
  });
  if (pages) {
    add(
      await checkArrayFormat({
        client,
        pageSize,
        firstPage: pages.firstPage,
        configured: revox.arrayFormat,
        unfiltered: pages.first,
        orderStatuses,
      }),
    );
  }
  const probes = client.probes.filter((probe) => probe !== attemptProbe || isUsable(probe));
  for (const finding of checkContract(probes)) add(finding);
  for (const finding of checkHeaders(client.probes, connectionLog, revox.timeoutMs)) add(finding);
}
