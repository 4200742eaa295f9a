import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { GatewayError } from '../core/error.ts'
import { noteClientCertificate } from './client-certificate.ts'
import { refuseOnSocket } from './client-error.ts'
import type { ConnectionDoor } from './connection-door.ts'
import { copyOrigin } from './connection-origin.ts'
import type { TlsIdentities } from './tls-identities.ts'

/** Whether clients show a certificate: `request` takes those that show none, and refuses those whose certificate is not to be trusted. */
export type ClientAuth = 'none' | 'request' | 'require'

export interface TlsServerOptions {
  readonly clientAuth: ClientAuth
  readonly handshakeTimeoutMs: number
  readonly maxConnections: number
  /** Connections come through it before their handshake. */
  readonly door: ConnectionDoor
  /** Given each connection once its client is known, by what the two agreed to speak. */
  onConnection(socket: TLSSocket, protocol: 'h2' | 'http/1.1'): void
  /** Told of each connection that came to nothing. */
  onFailed(failure: TlsFailure): void
  /** Told of a request that came in cleartext. */
  onRefused(error: GatewayError): void
}

/** Why a client did not get through the handshake; a label of metrics. */
export type TlsFailure =
  | 'timeout'
  | 'cleartext'
  | 'no_common_protocol'
  | 'no_common_version_or_cipher'
  | 'client_certificate'
  | 'closed'
  | 'other'

/** The port that speaks TLS. It does the handshakes and says which version of HTTP follows (ALPN, RFC 7301). Without ALPN it is HTTP/1.1. */
export class TlsServer {
  readonly #server: Server
  readonly #options: TlsServerOptions
  /** Also those whose handshake is not done. */
  readonly #sockets = new Set<Socket>()
  #identities: TlsIdentities | undefined

  constructor(options: TlsServerOptions) {
    const { clientAuth, handshakeTimeoutMs, maxConnections, door } = options
    this.#options = options
    this.#server = createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      SNICallback: (name, done) => done(null, this.#identities?.contextFor(name)),
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'require',
      handshakeTimeout: handshakeTimeoutMs,
      noDelay: true,
    })
    this.#server.maxConnections = maxConnections
    door.guard(this.#server)
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('secureConnection', (socket) => this.#secured(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#failed(error, socket))
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** To be called before it listens. New connections meet these; those that there are keep theirs. */
  use(identities: TlsIdentities): void {
    this.#identities = identities
    this.#server.setSecureContext(identities.serverOptions)
  }

  /** Resolves with the address once it listens; rejects when the port is taken. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.removeListener('error', reject)
        resolve(this.#server.address() as AddressInfo)
      })
    })
  }

  /** Takes no new connections; resolves when the last one has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Ends all connections now. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #secured(socket: TLSSocket): void {
    const raw = rawSocketOf(socket)
    if (raw !== undefined) copyOrigin(raw, socket)
    const { clientAuth, onConnection, onFailed } = this.#options
    const certificate = clientAuth === 'none' ? undefined : socket.getPeerX509Certificate()
    if (certificate !== undefined) {
      if (!socket.authorized) {
        onFailed('client_certificate')
        socket.on('error', () => {})
        socket.destroy()
        return
      }
      noteClientCertificate(socket, certificate)
    }
    onConnection(socket, socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1')
  }

  #failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { onFailed, onRefused } = this.#options
    const failure = failureOf(error.code)
    onFailed(failure)
    const raw = rawSocketOf(socket)
    if (failure !== 'cleartext' || raw === undefined) {
      socket.destroy()
      return
    }
    const refusal = new GatewayError('MALFORMED_REQUEST', 'This port speaks TLS; use https://.')
    onRefused(refusal)
    // Told below TLS, which the client does not speak.
    refuseOnSocket(raw, refusal)
  }
}

/** The connection below TLS. */
function rawSocketOf(socket: TLSSocket): Socket | undefined {
  return (socket as { _parent?: Socket })._parent
}

function failureOf(code = ''): TlsFailure {
  return failures[code] ?? (certificateCode.test(code) ? 'client_certificate' : 'other')
}

const failures: Readonly<Record<string, TlsFailure>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ERR_SSL_HTTP_REQUEST: 'cleartext',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'cleartext',
  // What OpenSSL makes of methods that it does not know, and of the preface of HTTP/2.
  ERR_SSL_WRONG_VERSION_NUMBER: 'cleartext',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'no_common_protocol',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'no_common_version_or_cipher',
  ERR_SSL_NO_SHARED_CIPHER: 'no_common_version_or_cipher',
  ECONNRESET: 'closed',
  EPIPE: 'closed',
}
const certificateCode = /CERT|UNABLE_TO_|SELF_SIGNED|UNSPECIFIED/
