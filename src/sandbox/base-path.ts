/** @param basePath may be empty */
export function isUnder(basePath: string, pathname: string): boolean {
  return pathname.startsWith(`${basePath}/`);
}

/** Whether a path that must be without the base path begins with it, by mistake. */
export function repeatsBasePath(basePath: string, path: string): boolean {
  return basePath !== '' && isUnder(basePath, `${path}/`);
}
