import { GatewayError } from '../../../core/error.ts'
import { tooLarge } from '../../../core/request-body.ts'
import { gunzip, isGzip } from './gzip.ts'

/** The message in the query of a GET. Rejects with INVALID_ARGUMENT naming the parameter, BODY_TOO_LARGE, NOT_IMPLEMENTED. */
export async function queryMessage(query: string, maxBytes: number): Promise<Buffer> {
  const text = parameter(query, 'message')
  if (text === undefined) throw invalid('message', 'is missing')
  const base64 = parameter(query, 'base64')?.toString('latin1') ?? ''
  if (base64 !== '' && base64 !== '1') throw invalid('base64', 'must be 1, or not be there')
  const bytes = base64 === '1' ? fromBase64(text.toString('latin1')) : text
  if (isGzip(parameter(query, 'compression')?.toString('latin1'))) return gunzip(bytes, maxBytes)
  if (bytes.length > maxBytes) throw tooLarge(maxBytes)
  return bytes
}

/** The bytes of a parameter: messages of `proto` are no UTF-8. */
function parameter(query: string, name: string): Buffer | undefined {
  const start = `${name}=`
  const found = query.split('&').filter((pair) => pair.startsWith(start))
  if (found.length > 1) throw invalid(name, 'is there twice')
  const value = found[0]?.slice(start.length)
  if (value === undefined) return undefined
  if (/%(?![0-9a-f]{2})/i.test(value)) throw invalid(name, 'has an escape that is none')
  const decoded = value
    .replaceAll('+', ' ')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(decoded, 'latin1')
}

/** Of either alphabet, with padding or without; a `+` that was not escaped has become a space. */
function fromBase64(text: string): Buffer {
  const digits = text.replaceAll(' ', '+')
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(digits) || digits.replace(/=+$/, '').length % 4 === 1)
    throw invalid('message', 'must be base64url')
  return Buffer.from(digits, 'base64')
}

function invalid(field: string, detail: string): GatewayError {
  return new GatewayError('INVALID_ARGUMENT', `The parameter "${field}" ${detail}.`, {
    violations: [{ field, detail }],
  })
}
