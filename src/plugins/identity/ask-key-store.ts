import { GatewayError } from '../../core/error.ts'

/** The answer of the store of keys; rejects with UNAVAILABLE when it gives none. */
export async function askKeyStore<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw new GatewayError(
      'UNAVAILABLE',
      'The store of keys does not answer; look at the list later to see whether this was done.',
      { cause, retryAfterMs: 1_000 },
    )
  }
}
