import type { LogEntry, LoggedCall, LoggedError } from './log-entry.ts'
import { callFields, headFields, type RareOfCall, separator, spanIdLength, traceIdLength } from './record.ts'

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
    const [place = '', upstream = '', method = '', micros, target = '', status, rare] = fields.slice(
      i,
      i + callFields,
    )
    const durationMs = Number(micros) / 1_000
    const { failed, attempts, ...more } = rare ? (JSON.parse(rare) as RareOfCall) : {}
    const only = {
      target,
      ...(status && { status: Number(status) }),
      durationMs,
      ...(failed !== undefined && { failed }),
    }
    calls.push({ place, upstream, method, durationMs, ...more, attempts: attempts ?? [only] })
  }
  return calls
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
