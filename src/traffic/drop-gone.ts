import type { Endpoint } from './endpoint.ts'

/** Forgets the rows of endpoints that are gone, and what was to happen to them. */
export function dropGone(
  rows: Map<Endpoint, { readonly timer: NodeJS.Timeout | undefined }>,
  endpoints: readonly Endpoint[],
): void {
  const staying = new Set(endpoints)
  for (const [endpoint, { timer }] of rows) {
    if (staying.has(endpoint)) continue
    clearTimeout(timer)
    rows.delete(endpoint)
  }
}
