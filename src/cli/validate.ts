import { silentLog } from '../core/log.ts'
import { openRows } from '../core/policy.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import type { CommandInput } from './commands.ts'

/** `gateway validate`: does all that start does, but for listening. */
export async function validateConfig(input: CommandInput): Promise<number> {
  return withGateway(input, async (gateway) => {
    if (input.print) console.log(JSON.stringify(gateway.shownConfig(), null, 2))
    else console.log(`${input.config}: valid, ${gateway.rows.length} rows in the routing table`)
    const open = openRows(gateway.rows)
    if (!input.print && open.length > 0) console.log(`answered without an identity: ${open.join(', ')}`)
    return 0
  })
}

/** Builds the configuration without listening, for commands that look into it. */
export async function withGateway(
  input: CommandInput,
  use: (gateway: Gateway) => Promise<number>,
): Promise<number> {
  const gateway = await createGateway({
    file: input.config,
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
