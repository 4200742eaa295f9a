import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MirrorResult } from '../../src/traffic/mirror/mirror.ts'
import { startTcpServer } from '../tcp-server.ts'

export type MirrorFigures = Readonly<Record<MirrorResult, number>>

/** How the copies of a place ended so far, as `/metrics` says it. */
export async function mirrorFigures(url: string, place: string): Promise<MirrorFigures> {
  const text = await (await fetch(`${url}/metrics`)).text()
  const figure = (result: MirrorResult): number => {
    const line = `gateway_mirror_requests_total{route="${place}",result="${result}"} `
    const found = text.split('\n').find((one) => one.startsWith(line))
    assert.ok(found, `no line ${line} in:\n${text}`)
    return Number(found.slice(line.length))
  }
  return {
    sent: figure('sent'),
    same: figure('same'),
    different: figure('different'),
    failed: figure('failed'),
    skipped: figure('skipped'),
  }
}

/** Resolves with the figures once so many copies have ended, which must be within ten seconds. */
export async function mirrored(url: string, place: string, count: number): Promise<MirrorFigures> {
  const lastAt = performance.now() + 10_000
  for (;;) {
    const figures = await mirrorFigures(url, place)
    const ended = Object.values(figures).reduce((sum, one) => sum + one)
    if (ended >= count) return figures
    assert.ok(performance.now() < lastAt, `${ended} of ${count} copies ended: ${JSON.stringify(figures)}`)
    await sleep(10)
  }
}

/** A server that tests hold back. */
export interface HeldServer {
  readonly url: string
  /** Connections that it took. */
  readonly sockets: readonly Socket[]
  /** Lets go what it has held back, and what comes. */
  release(): void
}

/** Takes connections, reads, and says nothing; what is released is ended. */
export function startFrozen(t: TestContext): Promise<HeldServer> {
  return startHeld(t, (socket) => {
    socket.resume()
    return () => socket.destroy()
  })
}

/** Stands before another server, and holds its answers back until they are released. */
export function startSlow(t: TestContext, url: string): Promise<HeldServer> {
  return startHeld(t, (socket) => {
    const { hostname, port } = new URL(url)
    const onward = connect(Number(port), hostname)
    socket.on('data', (chunk) => onward.write(chunk)).on('close', () => onward.destroy())
    onward.on('error', () => {}).on('close', () => socket.destroy())
    return () => void onward.on('data', (chunk) => socket.write(chunk))
  })
}

/** `take` returns what is to be done once it is released. */
async function startHeld(t: TestContext, take: (socket: Socket) => () => void): Promise<HeldServer> {
  const held: (() => void)[] = []
  let released = false
  const { url, sockets } = await startTcpServer(t, (socket) => {
    const letGo = take(socket)
    if (released) letGo()
    else held.push(letGo)
  })
  return {
    url,
    sockets,
    release() {
      released = true
      for (const letGo of held) letGo()
    },
  }
}
