import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** A HAProxy of our own that passes TCP connections on as they are, behind a PROXY header. */
export interface Haproxy {
  readonly port: number
  stop(): Promise<void>
}

/** Every connection goes to 127.0.0.1:`to`. `send` is the word for the version: `send-proxy`, `send-proxy-v2`, `send-proxy-v2 proxy-v2-options crc32c`. */
export async function startHaproxy({
  to,
  send,
}: {
  readonly to: number
  readonly send: string
}): Promise<Haproxy> {
  const program = await ensureProgram('haproxy')
  const port = await freePort()
  const folder = await ownFolder('haproxy')
  const file = join(folder, 'haproxy.cfg')
  await writeFile(
    file,
    `global
  nbthread 1
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend gateway
backend gateway
  server one 127.0.0.1:${to} ${send}
`,
  )
  const haproxy = await startOwnProcess({ program, args: ['-db', '-f', file], folder, port })
  return { port, stop: haproxy.kill }
}
