/** Frame types. Source: RFC 9113 section 6. */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

/** Flags of frames. Source: RFC 9113 section 6. */
export const frameFlags = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Source: RFC 9113 section 7. */
export const errorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  connectError: 10,
  enhanceYourCalm: 11,
  inadequateSecurity: 12,
  http11Required: 13,
} as const

/** Bytes before the payload of a frame. Source: RFC 9113 section 4.1. */
export const frameHeadBytes = 9

/** Payload of a frame at the most, unless settings say more. Source: RFC 9113 section 6.5.2. */
export const defaultFrameBytes = 16_384

/** Window of a stream, and for ever that of the connection, before it is raised. Source: RFC 9113 section 6.9.2. */
export const defaultWindowBytes = 65_535

/** No window and no stream id is larger. */
export const maxInt31 = 0x7fff_ffff

/** The peer broke the rules of the connection, which ends with GOAWAY and this error code. */
export class ConnectionError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Writes the head of a frame into a buffer. */
export function writeFrameHead(
  into: Buffer,
  at: number,
  head: { readonly length: number; readonly type: number; readonly flags: number; readonly streamId: number },
): void {
  const { length, type, flags, streamId } = head
  into[at] = length >>> 16
  into[at + 1] = length >>> 8
  into[at + 2] = length
  into[at + 3] = type
  into[at + 4] = flags
  into[at + 5] = streamId >>> 24
  into[at + 6] = streamId >>> 16
  into[at + 7] = streamId >>> 8
  into[at + 8] = streamId
}
