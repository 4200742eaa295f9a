import type { Gateway } from '../gateway.ts'

/** Resolves when SIGTERM or SIGINT has drained the gateway; a second one ends the process. SIGHUP reloads. */
export async function untilStopped(gateway: Gateway): Promise<void> {
  // A fault in one exchange must not end all others: it is logged, and the process goes on.
  process.on('uncaughtException', (error) => gateway.log.error({ error: error.stack }, 'uncaught exception'))
  process.on('unhandledRejection', (error) => {
    gateway.log.error({ error: error instanceof Error ? error.stack : String(error) }, 'unhandled rejection')
  })
  process.on('SIGHUP', () => void gateway.reload())
  await new Promise<void>((resolve) => {
    let asked = false
    const stop = (): void => {
      if (asked) process.exit(1)
      asked = true
      void gateway.shutdown().then(resolve)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
