import type { Backend, BackendOptions } from './backend.ts'

/**
 * Runs one backend as a process of its own: listens on `PORT` (else `defaultPort`) and `HOST` (else
 * `127.0.0.1`), prints `{"name","url"}` as one line of JSON once it listens, and ends with 0 after a clean
 * close on SIGTERM, SIGINT or the loss of the parent's IPC channel. A taken port is one line on stderr and
 * code 1.
 */
export async function runBackend(
  start: (options: BackendOptions) => Promise<Backend>,
  defaultPort: number,
): Promise<void> {
  const port = Number(process.env.PORT ?? defaultPort)
  const host = process.env.HOST ?? '127.0.0.1'
  let backend: Backend | undefined
  const stop = async (): Promise<void> => {
    await backend?.close()
    process.exit(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) process.once(signal, stop)

  try {
    backend = await start({ port, host })
  } catch (error) {
    if (!String(error).includes('EADDRINUSE')) throw error
    process.stderr.write(`cannot listen on ${host}:${port}: the port is already in use\n`)
    process.exit(1)
  }
  process.stdout.write(`${JSON.stringify({ name: backend.name, url: backend.url })}\n`)
}
