import { ConfigError } from '../config/problem.ts'
import { silentLog } from '../core/log.ts'
import { openRows } from '../core/policy.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import type { CommandInput } from './command.ts'
import { printJson } from './terminal.ts'

/** `gateway validate`: does all that start does, but for listening. */
export async function validateConfig(input: CommandInput): Promise<number> {
  try {
    return await withGateway(input, async (gateway) => {
      showValid(input, gateway)
      return 0
    })
  } catch (error) {
    if (!input.json || !(error instanceof ConfigError)) throw error
    printJson({ valid: false, problems: error.problems })
    return 1
  }
}

function showValid({ config, json, values: { print = false } }: CommandInput, gateway: Gateway): void {
  const [rows, open] = [gateway.rows.length, openRows(gateway.rows)]
  if (print) printJson(gateway.shownConfig())
  else if (json) printJson({ valid: true, problems: [], rows, open })
  else {
    console.log(`${config}: valid, ${rows} rows in the routing table`)
    if (open.length > 0) console.log(`answered without an identity: ${open.join(', ')}`)
  }
}

/** Builds the configuration without listening, for commands that look into it. */
export async function withGateway(
  { config }: Pick<CommandInput, 'config'>,
  use: (gateway: Gateway) => Promise<number>,
): Promise<number> {
  const gateway = await createGateway({
    file: config,
    environment: process.env,
    log: silentLog,
    watch: false,
    offline: true,
  })
  try {
    return await use(gateway)
  } finally {
    await gateway.dispose()
  }
}
