/** What the headers or the trailers of an answer say. */
export interface Answer {
  /** 0 in trailers. */
  readonly httpStatus: number
  readonly contentType: string
  readonly encoding: string
  /** Undefined when there is none or it is no number. */
  readonly grpcStatus: number | undefined
  readonly grpcMessage: string
  /** All else, flat: repeated names stay repeated, `-bin` values are padded base64, one to a pair. */
  readonly metadata: string[]
  /** Whether it is no answer in HTTP/2: RFC 9113 section 8.1.1. */
  readonly malformed: boolean
}

/** Reads the fields of a header block. */
export function readAnswer(fields: readonly string[]): Answer {
  let httpStatus = 0
  let contentType = ''
  let encoding = ''
  let grpcStatus: number | undefined
  let grpcMessage = ''
  let malformed = false
  const metadata: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    switch (name) {
      case ':status':
        if (httpStatus !== 0 || metadata.length > 0 || !/^[1-9]\d\d$/.test(value)) malformed = true
        httpStatus = Number(value)
        break
      case 'content-type':
        contentType = value
        metadata.push(name, value)
        break
      case 'grpc-status':
        grpcStatus = /^\d{1,9}$/.test(value) ? Number(value) : undefined
        break
      case 'grpc-message':
        grpcMessage = percentDecoded(value)
        break
      case 'grpc-encoding':
        encoding = value
        break
      case 'grpc-accept-encoding':
        break
      case 'connection':
      case 'keep-alive':
      case 'proxy-connection':
      case 'transfer-encoding':
      case 'upgrade':
        malformed = true
        break
      default:
        if (name.charCodeAt(0) === 0x3a) malformed = true
        else if (name.endsWith('-bin')) addBinary(metadata, name, value)
        else metadata.push(name, value)
    }
  }
  return { httpStatus, contentType, encoding, grpcStatus, grpcMessage, metadata, malformed }
}

/** Whether a content type is gRPC's: `application/grpc`, with `+proto` or parameters or not. */
export function isGrpc(contentType: string): boolean {
  return /^application\/grpc(?:$|[+;])/i.test(contentType)
}

/** The status of an answer that is HTTP without gRPC. Source: gRPC doc/http-grpc-status-mapping.md. */
export function codeOfHttpStatus(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
      return 13
    case 401:
      return 16
    case 403:
      return 7
    case 404:
      return 12
    case 429:
    case 502:
    case 503:
    case 504:
      return 14
    default:
      return 2
  }
}

/** The status of a call that RST_STREAM ended. Source: gRPC doc/PROTOCOL-HTTP2.md, "Errors". */
export function codeOfReset(errorCode: number): number {
  return resetCodes[errorCode] ?? 2
}

/** By HTTP/2 error code; STREAM_CLOSED has no mapping. */
const resetCodes = [13, 13, 13, 13, 13, 2, 13, 14, 1, 13, 13, 8, 7, 13]

/** Values may be joined by commas and have no padding. Source: gRPC doc/PROTOCOL-HTTP2.md, "Binary-Header". */
function addBinary(metadata: string[], name: string, value: string): void {
  for (const part of value.split(',')) {
    const base64 = part.trim()
    const clean = base64.length % 4 === 0 && !/[^A-Za-z0-9+/=]/.test(base64)
    metadata.push(name, clean ? base64 : Buffer.from(base64, 'base64').toString('base64'))
  }
}

/** What is no escape stays as it is, as the specification asks for. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text
  const bytes = Buffer.from(text, 'latin1')
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    const escaped = bytes[i] === 0x25 ? text.slice(i + 1, i + 3) : ''
    if (/^[0-9a-f]{2}$/i.test(escaped)) {
      bytes[length++] = Number.parseInt(escaped, 16)
      i += 2
    } else bytes[length++] = bytes[i] as number
  }
  return bytes.toString('utf8', 0, length)
}
