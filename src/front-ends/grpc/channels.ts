import type { Endpoint } from '../../traffic/endpoint.ts'
import type { Channel } from './channel.ts'

/** Makes the channel to an endpoint. */
export type OpenChannel = (endpoint: Endpoint) => Channel

/** One channel to each endpoint: opened for its first call, closed with the endpoint or with all others. */
export class Channels {
  readonly #open: OpenChannel
  readonly #held = new Map<Endpoint, { readonly channel: Channel; readonly forget: () => void }>()

  constructor(open: OpenChannel) {
    this.#open = open
  }

  to(endpoint: Endpoint): Channel {
    const held = this.#held.get(endpoint)
    if (held !== undefined) return held.channel
    const channel = this.#open(endpoint)
    const forget = endpoint.onClose(() => {
      this.#held.delete(endpoint)
      channel.close()
    })
    this.#held.set(endpoint, { channel, forget })
    return channel
  }

  /** Ends the connections once their calls are over. */
  close(): void {
    for (const { channel, forget } of this.#held.values()) {
      forget()
      channel.close()
    }
    this.#held.clear()
  }
}
