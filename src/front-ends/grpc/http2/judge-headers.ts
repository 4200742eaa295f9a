import { codeOfHttpStatus, isGrpc, readAnswer } from './answer.ts'
import { type CallFailure, noGrpc } from './call-failure.ts'
import type { HeaderList } from './hpack-decoder.ts'
import { errorCodes } from './protocol.ts'

/** What a header block means for its call. */
export type Verdict =
  /** 1xx: passed over. */
  | { readonly kind: 'interim' }
  | { readonly kind: 'head'; readonly metadata: string[]; readonly encoding: string }
  | { readonly kind: 'end'; readonly code: number; readonly message: string; readonly trailers: string[] }
  /** With the HTTP/2 error code to reset the stream with. */
  | { readonly kind: 'failed'; readonly why: CallFailure; readonly errorCode: number }

/** Judges the headers of an answer, or its trailers when it is not the first block. Source: gRPC doc/PROTOCOL-HTTP2.md. */
export function judgeHeaders(
  list: HeaderList,
  { isFirst, endStream }: { readonly isFirst: boolean; readonly endStream: boolean },
): Verdict {
  if (list.tooLarge) {
    const message = 'The answer has more headers than allowed.'
    return { kind: 'failed', why: { failure: 'tooLarge', code: 8, message }, errorCode: errorCodes.cancel }
  }
  const answer = readAnswer(list.fields)
  const { httpStatus, grpcStatus: code, contentType, metadata } = answer
  const interim = httpStatus >= 100 && httpStatus < 200
  const inPlace = isFirst ? httpStatus !== 0 && !(interim && endStream) : httpStatus === 0 && endStream
  if (list.malformed || answer.malformed || !inPlace) {
    const why = noGrpc('The answer has malformed headers.')
    return { kind: 'failed', why, errorCode: errorCodes.protocolError }
  }
  if (interim) return { kind: 'interim' }
  if (code !== undefined && endStream) {
    return { kind: 'end', code, message: answer.grpcMessage, trailers: metadata }
  }
  if (isFirst && (httpStatus !== 200 || !isGrpc(contentType))) {
    const message = `Received HTTP status code ${httpStatus} with content type "${contentType}".`
    const why: CallFailure = { failure: 'protocol', code: codeOfHttpStatus(httpStatus), message }
    return { kind: 'failed', why, errorCode: errorCodes.cancel }
  }
  return endStream
    ? { kind: 'failed', why: noStatus, errorCode: errorCodes.noError }
    : { kind: 'head', metadata, encoding: answer.encoding }
}

/** The answer is over and said nothing of how it went. */
export const noStatus: CallFailure = {
  failure: 'protocol',
  code: 2,
  message: 'The answer ended without grpc-status.',
}
