import { createGateway } from '../gateway.ts'
import type { CommandInput } from './command.ts'
import { untilStopped } from './until-stopped.ts'

/** `gateway start`: runs until SIGTERM or SIGINT has drained it. */
export async function startGateway(input: CommandInput): Promise<number> {
  const gateway = await createGateway({ file: input.config, environment: process.env })
  try {
    await gateway.listen(portOf(input))
  } catch (error) {
    await gateway.dispose()
    throw error
  }
  await untilStopped(gateway)
  return 0
}

/** Of `--port`. Throws an Error. */
export function portOf({ values: { port } }: CommandInput): string | undefined {
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) <= 65_535))
    throw new Error(`--port must be 0 to 65535, not "${port}"`)
  return port
}
