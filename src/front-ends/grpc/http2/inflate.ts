import { gunzip } from 'node:zlib'
import { type CallFailure, noGrpc, tooLarge } from './call-failure.ts'

/**
 * A message that was compressed with gzip, as it was before: in a thread of its own, because a few bytes can stand for many. No more than
 * `maxBytes` are ever made of them. Calls back with a failure for what is more, or no gzip.
 */
export function inflate(
  message: Buffer,
  maxBytes: number,
  done: (failure: CallFailure | undefined, message: Buffer) => void,
): void {
  gunzip(message, { maxOutputLength: maxBytes }, (error, inflated) => {
    if (error === null) done(undefined, inflated)
    else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      done(tooLarge('too many', maxBytes), nothing)
    else done(noGrpc('The answer is no gzip.'), nothing)
  })
}

const nothing = Buffer.alloc(0)
