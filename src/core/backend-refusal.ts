/** That a backend answered, and will not do what it was asked: a status of HTTP that is no success, or one of gRPC other than OK. */
export interface BackendRefusal {
  /** Of HTTP. */
  readonly status: number
  /** `Upstream "library" answered NOT_FOUND` */
  readonly message: string
  /** What the backend said of it; `''`: nothing that could be shown. */
  readonly said: string
}
