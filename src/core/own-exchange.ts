import { Exchange, type Hooks } from './exchange.ts'
import { openPolicy } from './policy.ts'

/** What the gateway asks upstreams within when nobody asked it: an exchange without a client, which no plugin sees. */
export class OwnExchange extends Exchange {
  readonly committed = false
  readonly hasBody = false

  /** @param name of what asks, for hashes and records: `graphql-schema`. */
  constructor(name: string) {
    super(
      {
        method: 'POST',
        path: '/',
        query: '',
        host: '',
        scheme: 'http',
        headers: {},
        peerAddress: '',
        peerTrusted: false,
        clientAddress: '',
        receivedAt: Date.now(),
        startedAt: performance.now(),
      },
      { id: name, protocol: 'graphql', template: '/', policy: openPolicy(name) },
      noHooks,
    )
  }

  override answer(): void {}

  override async body(): Promise<Buffer> {
    return Buffer.alloc(0)
  }
}

const noHooks: Hooks = { onRequest: [], names: [], onCall: [], onTurn: [], onReply: [], onSettled: [] }
