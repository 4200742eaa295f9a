import { readFileSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** The oldest that runs TypeScript as it stands and has `node:sqlite` in it. */
const leastNode = 24

/** Node itself, and what the system lets it have. */
export function lookAtMachine(config: Config | undefined): Finding[] {
  const version = process.versions.node
  const node =
    Number.parseInt(version, 10) >= leastNode
      ? ok('node', `${version} on ${process.platform} ${process.arch}`)
      : fail('node', `${version} is too old`, `install Node ${leastNode} or later`)
  const files = openFileLimit()
  return [node, ...(files === undefined ? [] : [lookAtFiles(files, config)])]
}

/** A client connection takes one descriptor, and while it is served one more to a backend. */
function lookAtFiles(limit: number, config: Config | undefined): Finding {
  const connections = config?.server.limits.connections ?? 0
  const needed = 2 * connections
  if (limit >= needed)
    return ok('open files', limit === Number.POSITIVE_INFINITY ? 'no limit' : `up to ${limit}`)
  return warn(
    'open files',
    `up to ${limit}: enough for about ${Math.floor(limit / 2)} connections; server.limits.connections allows ${connections}`,
    `raise it to ${needed} (ulimit -n, LimitNOFILE= of systemd), or lower server.limits.connections`,
  )
}

/** Linux tells it (proc(5)); elsewhere it is not known. Node raises the soft limit to the hard one at its start. */
function openFileLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8')
    const [, limit = ''] = /^Max open files +(\S+)/m.exec(limits) ?? []
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
  } catch {
    return undefined
  }
}
