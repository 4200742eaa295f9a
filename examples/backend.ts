/** A demo server that listens, as the `start…` functions of this folder give it back. */
export interface Backend {
  /** Kebab-case, unique among the demo backends: `users-v1`, `orders-a`, `library`. */
  readonly name: string
  /** Origin without a trailing slash: `http://127.0.0.1:8001`. Cleartext HTTP/2 for the gRPC backend. */
  readonly url: string
  /** Takes no new connections, lets running requests end for up to one second, then cuts what is left. */
  close(): Promise<void>
}

/** Where a demo backend listens. */
export interface BackendOptions {
  /** TCP port; 0 picks a free one. Default 0. */
  readonly port?: number
  /** Address to bind. Default `127.0.0.1`. */
  readonly host?: string
}
