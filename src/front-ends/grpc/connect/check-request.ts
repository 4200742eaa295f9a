import { GatewayError } from '../../../core/error.ts'
import type { HttpExchange } from '../../../core/http-exchange.ts'
import type { RpcMethod } from '../descriptors.ts'
import {
  type ConnectFormat,
  connectFormat,
  envelopedTypes,
  isConnectGet,
  unaryTypes,
} from './connect-format.ts'

/**
 * The format of a request for this method. Throws INVALID_ARGUMENT for another version of the protocol, UNSUPPORTED_MEDIA_TYPE for
 * messages that the method does not take so, NOT_IMPLEMENTED for streams both ways over HTTP/1.1.
 */
export function checkRequest(x: HttpExchange, { desc }: RpcMethod): ConnectFormat {
  checkVersion(x)
  const format = connectFormat(x)
  const unary = desc.methodKind === 'unary'
  if (format === undefined || format.enveloped === unary) {
    const types = unary ? unaryTypes : envelopedTypes
    const message = isConnectGet(x)
      ? 'The parameter "encoding" must be json or proto.'
      : `${desc.name} takes ${types.replace(', ', ' and ')}.`
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', message, { headers: ['Accept-Post', types] })
  }
  if (desc.methodKind === 'bidi_streaming' && !x.http2) {
    throw new GatewayError('NOT_IMPLEMENTED', `${desc.name} streams both ways, for which it needs HTTP/2.`)
  }
  return format
}

function checkVersion(x: HttpExchange): void {
  const version = x.header('connect-protocol-version')
  if (version !== undefined && version !== '1')
    throw new GatewayError('INVALID_ARGUMENT', 'Connect-Protocol-Version must be 1.')
  if (!isConnectGet(x)) return
  const versions = new URLSearchParams(x.request.query).getAll('connect')
  if (versions.length !== 1 || versions[0] !== 'v1')
    throw new GatewayError('INVALID_ARGUMENT', 'The parameter "connect" must be v1.')
}
