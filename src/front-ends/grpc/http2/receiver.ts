import { noGrpc } from './call-failure.ts'
import type { FastCall } from './fast-call.ts'
import { FloodGuard, frameWeights } from './flood-guard.ts'
import { broken, checkShape, windowBroken, wrongLength } from './frame-errors.ts'
import type { Frame, FrameSink } from './frame-reader.ts'
import { HeaderBlocks, unpadded } from './header-blocks.ts'
import { type HeaderLimits, HpackDecoder } from './hpack-decoder.ts'
import { errorCodes, frameFlags, frameTypes, maxInt31 } from './protocol.ts'
import { ReceiveWindows } from './receive-windows.ts'
import type { Sender } from './sender.ts'
import { applySettings, type PeerSettings } from './settings.ts'
import type { StreamTable } from './stream-table.ts'

/** How much a peer may send. */
export interface ReceiveLimits extends HeaderLimits {
  /** What one call may send that nobody has taken yet. */
  readonly streamWindowBytes: number
  /** What may be on its way on the whole connection. */
  readonly connectionWindowBytes: number
}

/** What frames change beside calls. */
interface Surroundings {
  readonly streams: StreamTable
  readonly settings: PeerSettings
  readonly sender: Sender
  readonly connection: { settled(): void; left(): void; drain(): void }
}

/** Takes the frames of one connection. What breaks the connection is thrown, what breaks a call ends the call. */
export class Receiver implements FrameSink {
  /** Whether any call was answered. */
  answered = false
  readonly windows: ReceiveWindows
  readonly #with: Surroundings
  readonly #decoder: HpackDecoder
  readonly #blocks: HeaderBlocks
  readonly #guard = new FloodGuard(performance.now())
  #settled = false
  #lastAllowed = maxInt31

  constructor(limits: ReceiveLimits, surroundings: Surroundings) {
    this.#with = surroundings
    this.#decoder = new HpackDecoder(limits)
    // Huffman coding never makes anything longer than four times.
    this.#blocks = new HeaderBlocks(limits.maxListBytes * 2)
    const { streamWindowBytes, connectionWindowBytes } = limits
    this.windows = new ReceiveWindows(streamWindowBytes, connectionWindowBytes, surroundings.sender)
  }

  frame(frame: Frame): void {
    const { type } = frame
    if (!this.#settled && (type !== frameTypes.settings || (frame.flags & frameFlags.ack) !== 0)) {
      throw broken('The server does not begin with SETTINGS.')
    }
    if (this.#blocks.streamId !== 0 && type !== frameTypes.continuation) {
      throw broken('Another frame stands within a header block.')
    }
    switch (type) {
      case frameTypes.data:
        this.#data(frame)
        break
      case frameTypes.headers:
        if (frame.streamId === 0) throw broken('HEADERS is for no stream.')
        if (this.#blocks.begin(frame)) this.#headers(frame.streamId)
        break
      case frameTypes.continuation:
        if (this.#blocks.continue(frame)) this.#headers(frame.streamId)
        break
      case frameTypes.rstStream:
        this.#reset(frame)
        break
      case frameTypes.settings:
        this.#settings(frame)
        break
      case frameTypes.ping:
        checkShape(frame, { length: 8, onStream: false })
        if ((frame.flags & frameFlags.ack) !== 0) break
        this.#guard.spend(frameWeights.answered)
        this.#with.sender.echo(frameTypes.ping, frameFlags.ack, frame.bytes.subarray(frame.start, frame.end))
        break
      case frameTypes.goaway:
        this.#goaway(frame)
        break
      case frameTypes.windowUpdate:
        this.#windowUpdate(frame)
        break
      case frameTypes.pushPromise:
        throw broken('The server pushes, which was forbidden.')
      case frameTypes.priority:
        checkShape(frame, { length: 5, onStream: true })
        this.#guard.spend(frameWeights.idle)
        break
      default:
        this.#guard.spend(frameWeights.idle)
    }
  }

  #data(frame: Frame): void {
    const { streamId, flags } = frame
    if (streamId === 0) throw broken('DATA is for no stream.')
    const endStream = (flags & frameFlags.endStream) !== 0
    const payload = frame.end - frame.start
    this.windows.arrived(payload)
    const call = this.#with.streams.at(streamId)
    if (call === undefined) {
      this.#with.streams.mayStillCome(streamId)
      if (payload === 0) this.#guard.spend(frameWeights.idle)
      if (endStream) this.#with.streams.close(streamId)
      return
    }
    const { start, end } = (flags & frameFlags.padded) === 0 ? frame : unpadded(frame)
    if (start === end && !endStream) this.#guard.spend(frameWeights.idle)
    call.receiveWindow -= payload
    if (call.receiveWindow < 0) {
      call.fail(noGrpc('The server sent more than the window allows.'), errorCodes.flowControlError)
      return
    }
    if (endStream) this.#close(call)
    else if (payload > end - start) this.windows.giveBack(call, payload - (end - start))
    call.data(frame.bytes, start, end)
    if (!endStream) return
    call.endOfStream()
    this.#with.connection.left()
  }

  #headers(streamId: number): void {
    const { bytes, start, end, endStream } = this.#blocks
    // Also for a call that is over: the table has to follow.
    const list = this.#decoder.decode(bytes, start, end)
    const call = this.#with.streams.at(streamId)
    if (call === undefined) {
      this.#with.streams.mayStillCome(streamId)
      this.#guard.spend(frameWeights.idle)
      if (endStream) this.#with.streams.close(streamId)
      return
    }
    this.answered = true
    if (!endStream) {
      call.headers(list, false)
      return
    }
    this.#close(call)
    call.headers(list, true)
    this.#with.connection.left()
  }

  /** The server is done with a call; one that is still being sent is broken off. */
  #close(call: FastCall): void {
    const { streams, sender } = this.#with
    streams.close(call.id)
    call.moveTo(undefined)
    sender.forget(call)
    if (!call.sent) sender.control(frameTypes.rstStream, call.id, errorCodes.noError)
  }

  #reset(frame: Frame): void {
    checkShape(frame, { length: 4, onStream: true })
    const { streams, sender, connection } = this.#with
    const call = streams.at(frame.streamId)
    streams.close(frame.streamId)
    if (call === undefined) {
      this.#guard.spend(frameWeights.idle)
      return
    }
    sender.forget(call)
    call.moveTo(undefined)
    call.wasReset(frame.bytes.readUInt32BE(frame.start))
    connection.left()
  }

  #settings(frame: Frame): void {
    const { settings, streams, sender, connection } = this.#with
    if (frame.streamId !== 0) throw broken('SETTINGS is for a stream.')
    this.#guard.spend(frameWeights.answered)
    if ((frame.flags & frameFlags.ack) !== 0) {
      checkShape(frame, { length: 0, onStream: false })
      return
    }
    const before = settings.initialWindowBytes
    applySettings(settings, frame)
    const change = settings.initialWindowBytes - before
    if (change !== 0) {
      for (const call of streams) {
        call.sendWindow += change
        if (call.sendWindow > maxInt31) throw windowBroken('The window of a call is too large.')
        if (call.queue !== undefined && !call.sent) sender.wantsToSend(call)
      }
    }
    sender.echo(frameTypes.settings, frameFlags.ack, noPayload)
    this.#settled = true
    connection.settled()
  }

  /** Calls above the id were never taken. Source: RFC 9113 section 6.8. */
  #goaway(frame: Frame): void {
    if (frame.streamId !== 0) throw broken('GOAWAY is for a stream.')
    if (frame.end - frame.start < 8) throw wrongLength('GOAWAY')
    const lastId = frame.bytes.readUInt32BE(frame.start) & maxInt31
    const code = frame.bytes.readUInt32BE(frame.start + 4)
    if (lastId > this.#lastAllowed) throw broken('A GOAWAY takes back an earlier one.')
    this.#lastAllowed = lastId
    this.#guard.spend(frameWeights.idle)
    const { streams, sender, connection } = this.#with
    const refused = streams.clear(lastId)
    connection.drain()
    const message = `The server is going away (GOAWAY with code ${code}).`
    for (const call of refused) {
      sender.forget(call)
      call.moveTo(undefined)
      // One that has served calls goes away in good order; one that takes none at all is at fault.
      const stale = this.answered
      call.fail({ failure: 'refusedStream', code: 14, message, reached: false, stale }, errorCodes.noError)
    }
  }

  #windowUpdate(frame: Frame): void {
    if (frame.end - frame.start !== 4) throw wrongLength('WINDOW_UPDATE')
    const { streams, sender } = this.#with
    const increment = frame.bytes.readUInt32BE(frame.start) & maxInt31
    if (frame.streamId === 0) {
      if (increment === 0) throw broken('WINDOW_UPDATE raises by nothing.')
      sender.raise(increment)
      return
    }
    const call = streams.at(frame.streamId)
    if (call === undefined) {
      this.#guard.spend(frameWeights.idle)
      return
    }
    call.sendWindow += increment
    if (increment === 0) call.fail(noGrpc('WINDOW_UPDATE raises by nothing.'), errorCodes.protocolError)
    else if (call.sendWindow > maxInt31) {
      call.fail(noGrpc('The window of a call is too large.'), errorCodes.flowControlError)
    } else if (call.queue !== undefined && !call.sent) sender.wantsToSend(call)
  }
}

const noPayload = Buffer.alloc(0)
