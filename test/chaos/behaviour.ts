/**
 * How a backend answers.
 * - `well`: as it should
 * - `leaving`: as it should, but unhealthy when it is asked
 * - `slow`: after `delayMs`
 * - `failing`: with an HTTP status of 500 (INTERNAL of gRPC) and healthy when it is asked, or of 503 (UNAVAILABLE) and unhealthy
 * - `resetting`: with half a body, or after half a request, and a reset of the connection
 * - `closingIdle`: well, but each kept connection is closed just when it is used again
 */
export type Behaviour =
  | { readonly kind: 'well' }
  | { readonly kind: 'leaving' }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'failing'; readonly status: 500 | 503 }
  | { readonly kind: 'resetting' }
  | { readonly kind: 'closingIdle'; readonly by: 'FIN' | 'RST' }

/** Where a backend is told how to behave from now on: PUT, the behaviour as JSON. */
export const behaviourPath = '/behaviour'

/** The text of each thing: an answer that takes more than one packet. */
export const text = 'All that is said is said once. '.repeat(128)
