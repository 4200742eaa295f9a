import type { LogEntry } from '../request-log/log-entry.ts'
import { listAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { detailsOf, lineOf } from './logged-request.ts'
import { followAdmin } from './stream-admin.ts'
import { printJson } from './terminal.ts'

const shownAtOnce = 50

/** `gateway logs`: the latest requests, oldest first, as a terminal is read; one trace with all that happened to it; or as they come. */
export async function showLogs(input: CommandInput): Promise<number> {
  const { trace, status, route, consumer, since, follow = false } = input.values
  const query = new URLSearchParams(
    Object.entries({ traceId: trace?.toLowerCase(), status, route, consumer, since }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  ).toString()
  if (follow)
    return await followAdmin(input, `/logs:follow${query === '' ? '' : `?${query}`}`, (entry) =>
      console.log(input.json ? JSON.stringify(entry) : lineOf(entry as LogEntry)),
    )
  const entries = (await listAdmin(input, '/logs', { query, most: shownAtOnce })) as unknown as LogEntry[]
  if (input.json) printJson(entries)
  else if (entries.length === 0)
    console.log(
      'no request of the log fits; one node knows the requests of others only with observability.requestLog.database',
    )
  else
    for (const entry of entries.toReversed())
      console.log(trace === undefined ? lineOf(entry) : detailsOf(entry))
  // What was looked for and is not there is an error for a script.
  return entries.length === 0 && trace !== undefined ? 1 : 0
}
