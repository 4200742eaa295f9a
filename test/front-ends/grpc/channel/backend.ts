import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServerOptions,
} from '@grpc/grpc-js'

type Unary = handleUnaryCall<Buffer, Buffer>

/** What a backend saw. */
export interface Seen {
  calls: number
  cancelled: number
  /** Messages that `Count` handed to gRPC. */
  sent: number
}

/** A real gRPC server of `test.Test` that speaks in bytes. */
export interface Backend {
  readonly url: string
  readonly port: number
  readonly seen: Seen
  /** Lets the calls that run finish. */
  shutDown(): Promise<void>
  close(): void
}

/** Starts one, by default in cleartext on a free port of IPv4. */
export async function startBackend(
  options: {
    readonly port?: number
    readonly host?: string
    readonly credentials?: ServerCredentials
    readonly server?: ServerOptions
  } = {},
): Promise<Backend> {
  const { port = 0, host = '127.0.0.1', credentials } = options
  const seen: Seen = { calls: 0, cancelled: 0, sent: 0 }
  const server = new Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    ...options.server,
  })
  addMethods(server, seen)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials ?? ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    )
  })
  return {
    url: `${credentials === undefined ? 'http' : 'https'}://${host}:${bound}`,
    port: bound,
    seen,
    shutDown: () => new Promise((resolve) => server.tryShutdown(() => resolve())),
    close: () => server.forceShutdown(),
  }
}

function addMethods(server: Server, seen: Seen): void {
  const echo: Unary = (call, callback) => {
    seen.calls++
    callback(null, call.request)
  }
  const slowEcho: Unary = (call, callback) => {
    seen.calls++
    setTimeout(() => callback(null, call.request), 20)
  }
  const meta: Unary = (call, callback) => {
    const initial = new Metadata()
    initial.add('x-twice', 'a')
    initial.add('x-twice', 'b')
    initial.set('x-bytes-bin', Buffer.from([0, 255, 1]))
    call.sendMetadata(initial)
    const trailing = new Metadata()
    trailing.set('x-trailer', 'last')
    const pairs = Object.entries(call.metadata.toHttp2Headers()).map(([name, value]) => [name, String(value)])
    const leftMs = Number(call.getDeadline()) - Date.now()
    callback(null, Buffer.from(JSON.stringify({ ...Object.fromEntries(pairs), leftMs })), trailing)
  }
  const fail: Unary = (call, callback) => {
    const metadata = new Metadata()
    metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3, 4]))
    metadata.set('x-why', 'because')
    callback({ code: Number(call.request.toString()), details: 'nein, ü 100 % 😀', metadata })
  }
  const hang: Unary = (call) => {
    seen.calls++
    call.on('cancelled', () => seen.cancelled++)
  }
  /** So many messages of so many bytes; 0: without end. A third number: fail after them with this code. */
  const count: handleServerStreamingCall<Buffer, Buffer> = async (call) => {
    seen.calls++
    const [to = 0, bytes = 0, code = 0] = call.request.toString().split(' ').map(Number)
    let open = true
    let wake = (): void => {}
    call.on('drain', () => wake())
    call.on('cancelled', () => {
      if (open) seen.cancelled++
      open = false
      wake()
    })
    const message = Buffer.alloc(bytes, 'm')
    for (let n = 0; open && (to === 0 || n < to); n++) {
      seen.sent++
      if (call.write(message)) {
        if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve))
      } else await new Promise<void>((resolve) => (wake = resolve))
    }
    if (!open) return
    open = false
    if (code !== 0) call.emit('error', { code, details: 'broke off' })
    else call.end()
  }
  const sum: handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
    seen.calls++
    let messages = 0
    let bytes = 0
    call.on('cancelled', () => seen.cancelled++)
    call.on('data', (message: Buffer) => {
      messages++
      bytes += message.length
    })
    call.on('end', () => callback(null, Buffer.from(`${messages} ${bytes}`)))
  }
  const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    seen.calls++
    call.on('data', (message: Buffer) => call.write(Buffer.concat([Buffer.from('re: '), message])))
    call.on('end', () => call.end())
  }
  /** Reads nothing. */
  const deaf: handleClientStreamingCall<Buffer, Buffer> = (call) => {
    seen.calls++
    call.pause()
    call.on('cancelled', () => seen.cancelled++)
  }
  const kinds = {
    Echo: [echo, false, false],
    SlowEcho: [slowEcho, false, false],
    Meta: [meta, false, false],
    Fail: [fail, false, false],
    Hang: [hang, false, false],
    Count: [count, false, true],
    Sum: [sum, true, false],
    Chat: [chat, true, true],
    Deaf: [deaf, true, false],
  } as const
  const same = (bytes: Buffer): Buffer => bytes
  for (const [name, [handler, requestStream, responseStream]] of Object.entries(kinds)) {
    const definition = {
      path: `/test.Test/${name}`,
      requestStream,
      responseStream,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    }
    server.addService({ [name]: definition }, { [name]: handler as Unary })
  }
}
