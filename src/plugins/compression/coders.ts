import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { ContentCoding } from '../../core/exchange.ts'
import type { CodingName } from './negotiate.ts'

/**
 * Makes a coder, which works in Node's thread pool. Levels and windows are those of codings made while the client waits: brotli 4 and zstd 3
 * cost about what gzip 6 costs, and a window of 256 kB bounds the memory of one answer (brotli's own default is 4 MB).
 *
 * @param flushes whether the body may be long in coming, so that each piece is to leave at once.
 */
export function makeCoder(name: CodingName, flushes: boolean): ContentCoding {
  switch (name) {
    case 'gzip': {
      const stream = createGzip({ level: 6 })
      return flushes ? { stream, flush: () => stream.flush(constants.Z_SYNC_FLUSH) } : { stream }
    }
    case 'br': {
      const params = {
        [constants.BROTLI_PARAM_QUALITY]: 4,
        [constants.BROTLI_PARAM_LGWIN]: windowBits,
      }
      const stream = createBrotliCompress({ params })
      return flushes ? { stream, flush: () => stream.flush(constants.BROTLI_OPERATION_FLUSH) } : { stream }
    }
    case 'zstd': {
      const params = {
        [constants.ZSTD_c_compressionLevel]: 3,
        [constants.ZSTD_c_windowLog]: windowBits,
      }
      const stream = createZstdCompress({ params })
      return flushes ? { stream, flush: () => stream.flush(constants.ZSTD_e_flush) } : { stream }
    }
  }
}

const windowBits = 18
