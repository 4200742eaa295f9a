import { sendToAdmin } from './admin-client.ts'
import type { CommandInput } from './command.ts'
import { serverEvents } from './event-stream.ts'

/** Tells `onEvent` what a stream of the admin API brings, until it ends, or somebody presses Ctrl-C. Resolves with the exit code. */
export async function followAdmin(
  input: CommandInput,
  path: string,
  onEvent: (data: unknown) => void,
): Promise<number> {
  const stop = new AbortController()
  const end = (): void => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    const { answer, url } = await sendToAdmin(input, { method: 'GET', path }, stop.signal)
    if (answer.body === null || !/^text\/event-stream/.test(answer.headers.get('content-type') ?? ''))
      throw new Error(`${url} did not answer as an admin API; say where one is with --url`)
    for await (const { data } of serverEvents(answer.body)) onEvent(data)
    console.error('the gateway ended the stream')
    return 1
  } catch (error) {
    if (stop.signal.aborted) return 0
    throw error
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}
