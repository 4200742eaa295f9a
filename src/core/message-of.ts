/** What was thrown, in its own words. For failures of connections there is {@link causeOf}. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
