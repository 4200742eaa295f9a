import type { LogEntry, LoggedAttempt, LoggedCall, LoggedError } from './log-entry.ts'
import {
  callFields,
  headFields,
  type RareOfCall,
  rpcMark,
  separator,
  spanIdLength,
  traceIdLength,
} from './record.ts'

/** What of an exchange is not in its text. */
export interface RecordFacts {
  /** Unix time in milliseconds when it settled. */
  readonly at: number
  readonly durationMs: number
  readonly status: number
  readonly place: RecordPlace
  readonly node: string
}

/** Where exchanges were routed to: the same for many. */
export interface RecordPlace {
  readonly protocol: string
  readonly route: string
  readonly template: string
  readonly configVersion: number
}

/** What `recordOf` wrote, for people. */
export function readRecord(text: string, { at, durationMs, status, place, node }: RecordFacts): LogEntry {
  const fields = text.split(separator)
  const [ids = '', method = '', path = '', clientAddress = '', userAgent, user, consumer] = fields
  const [requestBytes, responseBytes, plugin, attributes, error, made] = fields.slice(7, headFields)
  const calls = callsOf(fields)
  const spanId = ids.slice(traceIdLength, traceIdLength + spanIdLength)
  return {
    id: entryId(at, spanId),
    at: new Date(at).toISOString(),
    traceId: ids.slice(0, traceIdLength),
    spanId,
    requestId: ids.slice(traceIdLength + spanIdLength),
    node,
    ...place,
    method,
    path,
    status,
    durationMs: rounded(durationMs),
    requestBytes: Number(requestBytes),
    responseBytes: Number(responseBytes),
    clientAddress,
    ...(userAgent && { userAgent }),
    ...(user && { user }),
    ...(consumer && { consumer }),
    ...(plugin && { plugin }),
    ...(error && { error: JSON.parse(error) as LoggedError }),
    calls,
    ...(Number(made) > calls.length && { callsOmitted: Number(made) - calls.length }),
    ...(attributes && { attributes: JSON.parse(attributes) as Record<string, string | number> }),
  }
}

export function entryId(at: number, spanId: string): string {
  return `${at}-${spanId}`
}

function callsOf(fields: readonly string[]): LoggedCall[] {
  const calls: LoggedCall[] = []
  for (let i = headFields; i + callFields <= fields.length; i += callFields) {
    const [place = '', upstream = '', target = '', attempts, micros, status = '', rare] = fields.slice(
      i,
      i + callFields,
    )
    const { tries, ...more } = rare ? (JSON.parse(rare) as RareOfCall) : {}
    const durationMs = millis(Number(micros))
    const answered = statusOf(status)
    const listed = tries
      ? tries.map(({ micros, ...one }): LoggedAttempt => {
          // The answer that counts is that of the one attempt which did not fail.
          const own = one.failed === undefined && one.lost === undefined ? answered : saidBy(one.failed)
          return { target: one.target, ...own, durationMs: millis(micros), ...withoutTarget(one) }
        })
      : target === ''
        ? []
        : [{ target, ...answered, durationMs }]
    const omitted = Number(attempts) - listed.length
    calls.push({
      place,
      upstream,
      durationMs,
      ...more,
      attempts: listed,
      ...(omitted > 0 && more.shared !== true && { attemptsOmitted: omitted }),
    })
  }
  return calls
}

function withoutTarget<T extends { readonly target: string }>({ target: _, ...rest }: T): Omit<T, 'target'> {
  return rest
}

function statusOf(text: string): Pick<LoggedAttempt, 'status' | 'grpcStatus'> {
  if (text === '') return {}
  return text.startsWith(rpcMark)
    ? { grpcStatus: Number(text.slice(rpcMark.length)) }
    : { status: Number(text) }
}

/** The number in `status 503` and `grpc-status 14`. */
function saidBy(failed: string | undefined): Pick<LoggedAttempt, 'status' | 'grpcStatus'> {
  const [, word, number] = /^(status|grpc-status) (\d+)$/.exec(failed ?? '') ?? []
  if (word === undefined) return {}
  return word === 'status' ? { status: Number(number) } : { grpcStatus: Number(number) }
}

function millis(micros: number): number {
  return micros / 1_000
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
