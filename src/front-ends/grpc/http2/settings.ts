import type { Frame } from './frame-reader.ts'
import {
  ConnectionError,
  defaultFrameBytes,
  defaultWindowBytes,
  errorCodes,
  frameHeadBytes,
  frameTypes,
  maxInt31,
  writeFrameHead,
} from './protocol.ts'

/** What the peer has said of itself, or what holds while it has not. Source: RFC 9113 section 6.5.2. */
export interface PeerSettings {
  maxConcurrentStreams: number
  initialWindowBytes: number
  maxFrameBytes: number
  maxHeaderListBytes: number
}

/** The settings that hold before the first SETTINGS frame. */
export function initialSettings(): PeerSettings {
  return {
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowBytes: defaultWindowBytes,
    maxFrameBytes: defaultFrameBytes,
    maxHeaderListBytes: Number.POSITIVE_INFINITY,
  }
}

/** Source: RFC 9113 section 6.5.2. */
const ids = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** Takes the payload of a SETTINGS frame over. Throws what RFC 9113 section 6.5 says for each wrong value. */
export function applySettings(settings: PeerSettings, { bytes, start, end }: Frame): void {
  if ((end - start) % 6 !== 0) {
    throw new ConnectionError(errorCodes.frameSizeError, 'SETTINGS has a length that is no multiple of 6.')
  }
  for (let at = start; at < end; at += 6) {
    const value = bytes.readUInt32BE(at + 2)
    switch (bytes.readUInt16BE(at)) {
      case ids.enablePush:
        // A server may only say that it is off.
        if (value !== 0) throw wrong(errorCodes.protocolError, 'ENABLE_PUSH', value)
        break
      case ids.maxConcurrentStreams:
        settings.maxConcurrentStreams = value
        break
      case ids.initialWindowSize:
        if (value > maxInt31) throw wrong(errorCodes.flowControlError, 'INITIAL_WINDOW_SIZE', value)
        settings.initialWindowBytes = value
        break
      case ids.maxFrameSize:
        if (value < defaultFrameBytes || value > 0xff_ffff) {
          throw wrong(errorCodes.protocolError, 'MAX_FRAME_SIZE', value)
        }
        settings.maxFrameBytes = value
        break
      case ids.maxHeaderListSize:
        settings.maxHeaderListBytes = value
        break
      // HEADER_TABLE_SIZE limits an encoder's dynamic table, and ours has none.
    }
  }
}

/** What a client begins with: the preface, its SETTINGS, and the window of the connection. Source: RFC 9113 section 3.4. */
export function openingBytes(ours: {
  readonly streamWindowBytes: number
  readonly connectionWindowBytes: number
  readonly maxListBytes: number
}): Buffer {
  const pairs = [
    [ids.enablePush, 0],
    [ids.initialWindowSize, ours.streamWindowBytes],
    [ids.maxHeaderListSize, ours.maxListBytes],
  ] as const
  const settings = Buffer.alloc(frameHeadBytes + pairs.length * 6)
  const head = { length: pairs.length * 6, type: frameTypes.settings, flags: 0, streamId: 0 }
  writeFrameHead(settings, 0, head)
  for (const [i, [id, value]] of pairs.entries()) {
    settings.writeUInt16BE(id, frameHeadBytes + i * 6)
    settings.writeUInt32BE(value, frameHeadBytes + i * 6 + 2)
  }
  const window = Buffer.alloc(frameHeadBytes + 4)
  writeFrameHead(window, 0, { length: 4, type: frameTypes.windowUpdate, flags: 0, streamId: 0 })
  window.writeUInt32BE(ours.connectionWindowBytes - defaultWindowBytes, frameHeadBytes)
  return Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), settings, window])
}

function wrong(code: number, name: string, value: number): ConnectionError {
  return new ConnectionError(code, `SETTINGS_${name} cannot be ${value}.`)
}
