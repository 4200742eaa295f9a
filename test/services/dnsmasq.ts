import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** A DNS server of our own that knows what it is told and asks nobody else. */
export interface Dnsmasq {
  /** `127.0.0.1:port` */
  readonly server: string
  kill(): Promise<void>
}

/** `records`: options of dnsmasq, such as `--host-record=a.internal,10.0.0.1,30` and `--srv-host=_http._tcp.b.internal,a.internal,8001,1,10`. */
export async function startDnsmasq(
  records: readonly string[],
  options: { readonly port?: number } = {},
): Promise<Dnsmasq> {
  const program = await ensureProgram('dnsmasq')
  const port = options.port ?? (await freePort())
  const folder = await ownFolder('dnsmasq')
  const own = ['--keep-in-foreground', '--conf-file=/dev/null', `--pid-file=${folder}/pid`, '--user=']
  const closed = ['--no-resolv', '--no-hosts', '--local=/internal/', '--bind-interfaces']
  const args = [...own, ...closed, '--listen-address=127.0.0.1', `--port=${port}`, ...records]
  const dnsmasq = await startOwnProcess({ program, args, folder, port })
  return { server: `127.0.0.1:${port}`, kill: dnsmasq.kill }
}
