import { writeFile } from 'node:fs/promises'
import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** A Prometheus of our own, whose data is gone with it. */
export interface Prometheus {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** What an expression gives now; empty: nothing. Throws what Prometheus says of one that it cannot evaluate. */
  query(expr: string): Promise<readonly Sample[]>
  /** Its HTTP API by GET: `/api/v1/rules`. Gives `data` of the answer. */
  get(path: string): Promise<unknown>
  /** Ends it at once. */
  stop(): Promise<void>
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  /** Unix time in seconds, and the value as text. */
  readonly value: readonly [number, string]
}

/** Resolves when it is ready; `config` is in the words of prometheus.yml. */
export async function startPrometheus(config: object): Promise<Prometheus> {
  const program = await ensureProgram('prometheus')
  const port = await freePort()
  const folder = await ownFolder('prometheus')
  // JSON is YAML.
  await writeFile(`${folder}/prometheus.yml`, JSON.stringify(config))
  const { kill } = await startOwnProcess({
    program,
    args: [
      ...[`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`],
      ...[`--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'],
    ],
    folder,
    port,
    greeting: { send: 'GET /-/ready HTTP/1.1\r\nHost: prometheus\r\n\r\n', expect: 'HTTP/1.1 200' },
  })
  const url = `http://127.0.0.1:${port}`
  const dataOf = async (reply: Response): Promise<unknown> => {
    const { status, error, data } = (await reply.json()) as { status: string; error?: string; data: unknown }
    if (status !== 'success') throw new Error(`Prometheus says: ${error}`)
    return data
  }
  return {
    url,
    async query(expr) {
      const body = new URLSearchParams({ query: expr })
      const data = await dataOf(await fetch(`${url}/api/v1/query`, { method: 'POST', body }))
      return (data as { result: readonly Sample[] }).result
    },
    get: async (path) => dataOf(await fetch(`${url}${path}`)),
    stop: kill,
  }
}
