/** `Retry-After` (RFC 9110 section 10.2.3: seconds, or a date) in milliseconds from now; undefined when there is none, or nothing readable. */
export function retryAfterMs(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
