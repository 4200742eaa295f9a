/** Whether gRPC can carry metadata of this name (lower case), and it is neither the wire's own nor reserved (gRPC PROTOCOL-HTTP2). */
export function isSendableName(name: string): boolean {
  return /^[0-9a-z_.-]+$/.test(name) && !ofTheWire.has(name) && !name.startsWith('grpc-')
}

/** A value with all but printable ASCII percent-encoded as UTF-8; nothing else can be sent. */
export function sendableValue(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, (odd) =>
    Buffer.from(odd).toString('hex').toUpperCase().replace(/../g, '%$&'),
  )
}

const ofTheWire = new Set([
  'connection',
  'content-length',
  'content-type',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'user-agent',
])
