import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Connections at the most: few people and programs use it. */
const maxConnections = 512
const headersTimeoutMs = 10_000
const requestTimeoutMs = 60_000

/** The port of its own that the admin API has with `admin.listen`. */
export class AdminListener {
  readonly #server: Server

  constructor(app: RequestListener) {
    const limits = {
      maxHeaderSize: 16_384,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
    }
    this.#server = createServer({ ...limits, insecureHTTPParser: false }, app)
    this.#server.maxConnections = maxConnections
  }

  /** @param place `127.0.0.1:9901`; port 0 takes a free one. Resolves with the base URL. Rejects when it is taken. */
  listen(place: string): Promise<string> {
    const { hostname, port } = new URL(`http://${place}`)
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(Number(port || 80), host, () => {
        const { port } = this.#server.address() as AddressInfo
        resolve(`http://${hostname}:${port}`)
      })
    })
  }

  /** Requests that are under way are cut off: what is left of them by then has had its time. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
