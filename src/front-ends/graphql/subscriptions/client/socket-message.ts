import { isRecord } from '../../../../core/is-record.ts'

/** What clients say in the `graphql-transport-ws` protocol (github.com/enisdenjo/graphql-ws, PROTOCOL.md). */
export type SocketMessage =
  | { readonly type: 'connection_init' | 'ping' | 'pong'; readonly payload: unknown }
  | { readonly type: 'subscribe'; readonly id: string; readonly payload: Readonly<Record<string, unknown>> }
  | { readonly type: 'complete'; readonly id: string }

/** Reads one message. Throws an Error that says to a client what is wrong with it. */
export function readSocketMessage(text: string): SocketMessage {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('Invalid message: no JSON')
  }
  if (!isRecord(value)) throw new Error('Invalid message: no object')
  const { type, id, payload } = value
  if (type === 'connection_init' || type === 'ping' || type === 'pong') return { type, payload }
  if (type !== 'subscribe' && type !== 'complete') throw new Error('Invalid message: unknown type')
  if (typeof id !== 'string' || id === '' || id.length > maxIdLength)
    throw new Error(`Invalid message: "id" must be a text of 1 to ${maxIdLength} characters`)
  if (type === 'complete') return { type, id }
  if (!isRecord(payload)) throw new Error('Invalid message: "payload" must be an object')
  return { type, id, payload }
}

const maxIdLength = 128
