import type { HttpExchange } from '../core/http-exchange.ts'

/** Walks the `onRequest` hooks of an exchange and then serves it; whatever is thrown on the way becomes its refusal. */
export function run(x: HttpExchange): void {
  const { onRequest } = x.hooks
  try {
    for (let i = 0; i < onRequest.length; i++) {
      x.step = i
      const pending = onRequest[i]?.(x)
      if (pending !== undefined) {
        runRest(x, pending, i + 1).catch((error: unknown) => x.fail(error))
        return
      }
      if (x.committed) return
    }
    x.step = onRequest.length
    const serving = x.row.serve(x)
    if (serving !== undefined) serving.catch((error: unknown) => x.fail(error))
  } catch (error) {
    x.fail(error)
  }
}

/** The same walk from the first hook that has something to await. */
async function runRest(x: HttpExchange, pending: Promise<void>, next: number): Promise<void> {
  const { onRequest } = x.hooks
  await pending
  for (let i = next; i < onRequest.length; i++) {
    if (x.committed || x.gone) return
    x.step = i
    await onRequest[i]?.(x)
  }
  if (x.committed || x.gone) return
  x.step = onRequest.length
  await x.row.serve(x)
}
