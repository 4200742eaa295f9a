import { connect } from 'node:net'
import { causeOf } from '../core/cause-of.ts'
import type { Probe } from './health-check.ts'

/** Connects and closes: a target is healthy when it accepts connections. Over TLS nothing is said either. */
export function tcpProbe({ timeoutMs }: { readonly timeoutMs: number }): Probe {
  return {
    probe: ({ url }) =>
      new Promise((resolve) => {
        const { hostname, port, protocol } = new URL(url)
        const socket = connect({
          host: hostname.replace(/^\[(.*)\]$/, '$1'),
          port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
        })
        const settle = (reason: string | undefined): void => {
          clearTimeout(timer)
          socket.destroy()
          resolve(reason)
        }
        const timer = setTimeout(
          () => settle(`probe failed: no connection within ${timeoutMs} ms`),
          timeoutMs,
        )
        socket.once('connect', () => settle(undefined))
        socket.once('error', (error) => settle(`probe failed: ${causeOf(error)}`))
      }),
    close: () => {},
  }
}
