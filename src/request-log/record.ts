import type { AttemptRecord, CallRecord } from '../core/call-record.ts'
import { causeChain } from '../core/cause-chain.ts'
import type { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { LoggedAttempt } from './log-entry.ts'

/**
 * What is kept of an exchange, as one text: fields with a separator between them that none of them can hold. This is on the way of every
 * request, so most of it is put together of what is there already; JSON is written for what is rare (errors, second attempts).
 * Read by `read-record.ts`.
 */
export function recordOf(x: Exchange): string {
  const { request, principal, calls, error } = x
  const { trace } = x
  let text = trace.traceId + trace.spanId + x.id + separator + request.method
  text += separator + cut(request.path, maxPath) + separator + request.clientAddress
  text += separator + cut(x.header('user-agent') ?? '', maxText)
  if (principal === undefined) text += noPrincipal
  else text += separator + cut(principal.id, maxText) + separator + (principal.consumer ?? '')
  text += separator + x.requestBytes + separator + x.responseBytes + separator + pluginOf(x)
  text += separator + attributesOf(x) + separator
  if (error !== undefined) text += errorOf(error)
  text += separator + calls.length
  for (let i = 0; i < calls.length && i < maxCalls && text.length < maxLength; i++)
    text += callOf(calls[i] as CallRecord)
  return text
}

/** US of ASCII: the wire lets no control character into a method, path, address or header, names of the configuration have none, and JSON escapes them. */
export const separator = '\x1f'
/** Digits of the two ids at the beginning of a record. */
export const traceIdLength = 32
export const spanIdLength = 16
/** Fields before those of the calls. */
export const headFields = 13
/** Of each call. */
export const callFields = 7
const noPrincipal = separator + separator
const maxPath = 1_024
const maxText = 256
const maxMessage = 1_024
const maxCalls = 32
/** No call is added to a text that is longer: it has a few hundred characters mostly. */
const maxLength = 16_384
const maxAttempts = 8

/** The hook that it stayed at did so for a reason of its own, unless the client has just left. */
function pluginOf(x: Exchange): string {
  const { names } = x.hooks
  if (x.step < 0 || x.step >= names.length || x.error?.reason === 'CLIENT_GONE') return ''
  return names[x.step] as string
}

function attributesOf({ attributes }: Exchange): string {
  for (const _ in attributes) {
    const json = JSON.stringify(attributes)
    return json.length <= 4 * maxText ? json : JSON.stringify(attributes, shortened)
  }
  return ''
}

function shortened(_: string, value: unknown): unknown {
  return typeof value === 'string' ? cut(value, maxText) : value
}

function errorOf(error: GatewayError): string {
  const { entry, reason, message } = error
  const cause = causeChain(error)
  return JSON.stringify({
    code: entry.number,
    reason,
    message: cut(message, maxMessage),
    ...(cause !== undefined && { cause: cut(cause, maxMessage) }),
  })
}

/** Times are whole microseconds: integers are written four times as fast. */
function callOf(call: CallRecord): string {
  const { attempts } = call
  let text = separator + call.place + separator + call.upstreamName + separator + call.method
  const [only] = attempts
  const isOne = attempts.length === 1 && only !== undefined && only.error === undefined
  text += separator + Math.round((isOne ? only.durationMs : call.durationMs) * 1_000) + separator
  if (isOne) text += cut(only.target, maxText) + separator + (only.status ?? '') + separator
  else text += separator + separator
  const isPlain = isOne && only.fault === undefined && call.error === undefined && call.shared !== true
  return isPlain && call.canary === undefined ? text : text + JSON.stringify(rareOf(call, isOne))
}

/** What most calls have not. */
export interface RareOfCall {
  readonly shared?: true
  readonly canary?: boolean
  readonly reason?: string
  /** What the one attempt was answered, where that was no good. */
  readonly failed?: string
  /** Absent where there was one, and its answer counts. */
  readonly attempts?: readonly LoggedAttempt[]
  /** How many more there were than are listed. */
  readonly attemptsOmitted?: number
}

function rareOf({ shared, canary, error, attempts }: CallRecord, isOne: boolean): RareOfCall {
  const omitted = attempts.length - maxAttempts
  const fault = isOne ? attempts[0]?.fault : undefined
  return {
    ...(shared === true && { shared }),
    ...(canary !== undefined && { canary }),
    ...(error !== undefined && { reason: error.reason }),
    ...(fault !== undefined && { failed: fault }),
    ...(!isOne && { attempts: attempts.slice(0, maxAttempts).map(attemptOf) }),
    ...(omitted > 0 && { attemptsOmitted: omitted }),
  }
}

function attemptOf({ target, durationMs, status, fault, error, lost }: AttemptRecord): LoggedAttempt {
  const cause = error && causeChain(error)
  const failed = fault ?? error?.reason
  return {
    target: cut(target, maxText),
    ...(status !== undefined && { status }),
    durationMs: Math.round(durationMs * 1_000) / 1_000,
    ...(failed !== undefined && !lost && { failed }),
    ...(cause !== undefined && !lost && { cause: cut(cause, maxText) }),
    ...(lost && { lost }),
  }
}

function cut(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text
}
