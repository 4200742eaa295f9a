import { createGateway } from '../gateway.ts'
import type { CommandInput } from './command.ts'

/** `gateway start`: runs until SIGTERM or SIGINT has drained it. */
export async function startGateway(input: CommandInput): Promise<number> {
  const gateway = await createGateway({ file: input.config, environment: process.env })
  try {
    await gateway.listen(portOf(input))
  } catch (error) {
    await gateway.dispose()
    throw error
  }
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
  return 0
}

/** Of `--port`. Throws an Error. */
export function portOf({ values: { port } }: CommandInput): string | undefined {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new Error(`--port must be 0 to 65535, not "${port}"`)
  return port
}
