import { randomUUID } from 'node:crypto'
import { Exchange, type RequestHead } from './core/exchange.ts'
import type { Principal } from './core/principal.ts'
import type { Plan } from './listener/listener.ts'
import type { Identity } from './plugins/identity/identity.ts'

export interface VerifyOptions {
  readonly identity: Identity
  readonly plan: Plan
  /** The header that tokens come in, lower case. */
  readonly header: string
}

/** Who a token speaks for, as if it came with a request. Rejects with the GatewayError that such a request is refused with. */
export async function verifyToken(
  token: string,
  { identity, plan, header }: VerifyOptions,
): Promise<Principal> {
  const principal = await identity.identify(
    new Question({ [header]: header === 'authorization' ? `Bearer ${token}` : token }, plan),
  )
  if (principal === undefined) throw new Error('a bearer token was not read as one')
  return principal
}

/** A request that nobody sent and nobody answers. */
class Question extends Exchange {
  constructor(headers: RequestHead['headers'], { row, hooks }: Plan) {
    // Of an address of its own, so that wrong tokens here count for nobody.
    const address = randomUUID()
    const head = { method: 'GET', path: '/', query: '', host: '', scheme: 'http' } as const
    const peer = { peerAddress: address, peerTrusted: false, clientAddress: address }
    const clock = { receivedAt: Date.now(), startedAt: performance.now() }
    super({ ...head, ...peer, ...clock, headers }, row, hooks)
  }

  override get hasBody(): boolean {
    return false
  }

  override get committed(): boolean {
    return false
  }

  override async body(): Promise<Buffer> {
    return Buffer.alloc(0)
  }

  override answer(): void {}
}
