import { jsonSize, membersWritten } from '../../../../core/duplicate-members.ts'
import { isRecord } from '../../../../core/is-record.ts'
import { maxJsonDepth } from '../../../../core/json-value.ts'

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
  const { members, levels } = jsonSize(value, maxLevels)
  if (levels > maxLevels) throw new Error(`Invalid message: nested more than ${maxLevels} levels deep`)
  // As in the body of a request: who reads a name twice reads it differently.
  if (members !== membersWritten(text))
    throw new Error('Invalid message: an object has two members of one name')
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
/** The payload is as deep as the body of a request may be. */
const maxLevels = maxJsonDepth + 1
