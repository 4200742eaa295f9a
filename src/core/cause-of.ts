/** What a failure of a connection says, in a few words; the error of several addresses tried in turn has a code only. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return error.message || code || error.name
}
