import { ConfigError, formatProblem } from '../config/problem.ts'
import type { Config } from '../config/schema.ts'
import { messageOf } from '../core/message-of.ts'
import type { CommandInput } from './command.ts'
import { lookAtCertificates } from './doctor/certificates.ts'
import { type Finding, fail, ok } from './doctor/finding.ts'
import { lookAtMachine } from './doctor/machine.ts'
import { lookAtPorts } from './doctor/ports.ts'
import { lookAtRedis } from './doctor/redis.ts'
import { lookAtUpstreams } from './doctor/upstreams.ts'
import { harmless, paint, printJson } from './terminal.ts'
import { withGateway } from './validate.ts'

/** `gateway doctor [file]`: whether a gateway could run here, and what to do where not. Exit code 1 when something fails. */
export async function examine(input: CommandInput): Promise<number> {
  const findings: Finding[] = []
  const tell = (found: readonly Finding[]): void => {
    findings.push(...found)
    if (!input.json) for (const finding of found) print(finding)
  }
  const { config, about } = await readConfig(input)
  tell([...lookAtMachine(config), ...about])
  if (config !== undefined) {
    tell(lookAtCertificates(config, Date.now()))
    for (const look of [lookAtPorts, lookAtRedis, lookAtUpstreams]) tell(await look(config))
  }
  const failed = findings.filter(({ level }) => level === 'fail').length
  const warned = findings.filter(({ level }) => level === 'warn').length
  if (input.json) printJson({ healthy: failed === 0, findings })
  else console.log(`\n${findings.length} things looked at: ${failed} wrong, ${warned} to know`)
  return failed === 0 ? 0 : 1
}

/** Built as a start would, so that every file that it names is read: protos, schemas, certificates, plugins. */
async function readConfig(input: CommandInput): Promise<{ config: Config | undefined; about: Finding[] }> {
  let config: Config | undefined
  try {
    let rows = 0
    await withGateway(input, async (gateway) => {
      config = gateway.config
      rows = gateway.rows.length
      return 0
    })
    const about = ok(
      'configuration',
      `${input.config} is valid with every file that it names, ${rows} rows in the routing table`,
    )
    return { config, about: [about] }
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems.map(formatProblem) : [messageOf(error)]
    const todo = 'correct it; `gateway validate` checks it again, the rest cannot be looked at before'
    return { config: undefined, about: problems.map((problem) => fail('configuration', problem, todo)) }
  }
}

const tones = { ok: 'good', warn: 'warning', fail: 'bad' } as const

function print({ level, about, says, todo }: Finding): void {
  console.log(`${paint(tones[level], level.padEnd(4))}  ${about.padEnd(13)}  ${harmless(says)}`)
  if (todo !== undefined) console.log(`${''.padEnd(21)}${paint('quiet', `-> ${todo}`)}`)
}
