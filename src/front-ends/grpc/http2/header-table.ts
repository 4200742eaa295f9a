import { ConnectionError, errorCodes } from './protocol.ts'

/** A header as the table keeps it. */
export interface TableEntry {
  readonly name: string
  readonly value: string
  /** Whether HTTP/2 allows it: RFC 9113 section 8.2.1. Looked at once, when it comes. */
  readonly valid: boolean
}

/** The static and the dynamic table of one direction of a connection. Source: RFC 7541 section 2.3. */
export class HeaderTable {
  /** What the peer may raise it to: our SETTINGS_HEADER_TABLE_SIZE. */
  readonly limitBytes: number
  /** Bytes by the count of RFC 7541 section 4.1. */
  size = 0
  #maxBytes: number
  /** Oldest first. */
  readonly #entries: TableEntry[] = []

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
    this.#maxBytes = limitBytes
  }

  /** Newest first, the dynamic ones only. */
  get entries(): readonly TableEntry[] {
    return this.#entries.toReversed()
  }

  /** The entry of an index, 1 the first. Throws COMPRESSION_ERROR when there is none. */
  at(index: number): TableEntry {
    const entry =
      index < staticEntries.length
        ? staticEntries[index]
        : this.#entries[this.#entries.length - 1 - (index - staticEntries.length)]
    if (entry === undefined || index === 0) {
      throw new ConnectionError(errorCodes.compressionError, `The header index ${index} does not exist.`)
    }
    return entry
  }

  /** Adds an entry and lets go of the oldest; one that is larger than the table empties it. */
  add(entry: TableEntry): void {
    this.#entries.push(entry)
    this.size += sizeOf(entry)
    this.#evict()
  }

  /** Follows a size update. Throws COMPRESSION_ERROR above the limit. */
  resize(maxBytes: number): void {
    if (maxBytes > this.limitBytes) {
      throw new ConnectionError(
        errorCodes.compressionError,
        `A header table of ${maxBytes} bytes is above the limit.`,
      )
    }
    this.#maxBytes = maxBytes
    this.#evict()
  }

  #evict(): void {
    while (this.size > this.#maxBytes) {
      const oldest = this.#entries.shift()
      if (oldest === undefined) return
      this.size -= sizeOf(oldest)
    }
  }
}

function sizeOf({ name, value }: TableEntry): number {
  return name.length + value.length + 32
}

/** Source: RFC 7541 appendix A; index 0 is not used. */
const staticEntries: readonly TableEntry[] = [
  '',
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ':status 200',
  ':status 204',
  ':status 206',
  ':status 304',
  ':status 400',
  ':status 404',
  ':status 500',
  'accept-charset',
  'accept-encoding gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
].map((line) => {
  const [name = '', ...value] = line.split(' ')
  return { name, value: value.join(' '), valid: true }
})
