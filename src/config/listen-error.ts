/**
 * Says which setting must change when the process cannot listen. `undefined`: an error that no
 * setting causes.
 * @param portSettings the settings that name a port of the process
 */
export function explainListenError(error: unknown, portSettings: string): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, port, address, hostname } = error as ListenError;
  switch (code) {
    case 'EADDRINUSE':
      return `The address ${toAuthority(address, port)} is in use (${code}). Set ${portSettings} to another port.`;
    case 'EACCES':
      // An error of a file has no port.
      if (port === undefined) return undefined;
      return `The process is not allowed to listen on port ${port} (${code}). Set ${portSettings} to another port, for example from 1024 on.`;
    case 'EADDRNOTAVAIL':
      return `HOST must be an address of this machine, and ${address} is not (${code}).`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST must be an address or a name with an address, and ${hostname} has none (${code}).`;
    default:
      return undefined;
  }
}

function toAuthority(address = '', port: number | undefined): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

interface ListenError extends NodeJS.ErrnoException {
  readonly port?: number;
  readonly address?: string;
  readonly hostname?: string;
}
