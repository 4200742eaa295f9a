import assert from 'node:assert/strict'
import { call, openFast } from './channels.ts'
import { answer, type Peer, type RawServer, settings, startRaw, types } from './raw-server.ts'

/** What a server does to the first call of a channel, which is on stream 1. */
export type Move = (peer: Peer) => void | Promise<void>

/** How a call to a hostile server has to end. */
export interface Expected {
  readonly failure: string
  /** Looks for what the server was told. */
  readonly told?: (server: RawServer) => Promise<void>
}

/** Calls a server that makes one hostile move: the call ends as expected, and the next one on the same channel goes well. */
export async function survives(move: Move, { failure, told }: Expected): Promise<void> {
  let hostile = true
  const server = await startRaw(async (peer) => {
    const first = hostile
    hostile = false
    peer.write(settings())
    await peer.frame(types.headers)
    if (first) await move(peer)
    else peer.write(answer(1))
    await peer.frame(types.headers, 3)
    peer.write(answer(3))
  })
  const channel = openFast(server.url)
  try {
    const { end } = await call(channel, { timeoutMs: 3_000 })
    assert.equal(end.failure, failure, end.message)
    assert.equal(end.reached, failure !== 'refusedStream')
    await told?.(server)
    await untilGood(() => call(channel, { timeoutMs: 3_000 }))
  } finally {
    channel.close()
    server.close()
  }
}

/** The error code of the first frame of a type that the server got. */
export async function codeOf(server: RawServer, type: number): Promise<number | undefined> {
  const frame = await server.peers[0]?.frame(type)
  return frame?.payload.readUInt32BE(type === types.goaway ? 4 : 0)
}

/** A call after a failure may have to wait for the next attempt at a connection. */
async function untilGood(again: () => ReturnType<typeof call>): Promise<void> {
  const giveUpAt = performance.now() + 2_000
  for (;;) {
    const { end } = await again()
    if (end.code === 0) return
    assert.ok(performance.now() < giveUpAt, end.message)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
