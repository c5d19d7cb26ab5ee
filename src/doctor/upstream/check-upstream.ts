import { type ConnectionScene, checkConnection } from '#doctor/checks/connection.ts';
import { checkFirstPage } from '#doctor/checks/first-page.ts';
import { checkListOrder } from '#doctor/checks/list-order.ts';
import { checkPageSize } from '#doctor/checks/page-size.ts';
import { checkPastTheEnd } from '#doctor/checks/past-the-end.ts';

/** Runs the checks of the upstream in the order in which their requests are planned. */
export async function checkUpstream(scene: ConnectionScene): Promise<void> {
  const { client, settings, add } = scene;
  const { revox } = settings;
  const assistants = await checkConnection(scene);
  if (!assistants) return;
  const pages = await checkFirstPage(client, revox, add);
  if (pages) {
    add(await checkPageSize({ ...revox, client, pages }));
    add(await checkPastTheEnd(client, revox.pageSize, pages));
    add(checkListOrder(pages.first));
  }
}
