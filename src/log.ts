import {
  type DestinationStream,
  destination,
  type LoggerOptions,
  type Logger as PinoLogger,
  pino,
} from 'pino'
import type { LogLevel } from './core/log.ts'

/** The process's log: JSON lines in OpenTelemetry's words, written in batches so that a request never waits for the disk. */
export function createLog(level: LogLevel | 'silent', stream?: DestinationStream): PinoLogger {
  const options: LoggerOptions = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: label }) },
  }
  if (stream !== undefined) return pino(options, stream)
  const out = destination({ dest: 1, sync: false, minLength: 8_192 })
  const timer = setInterval(() => out.flush(), 200)
  timer.unref()
  process.on('exit', () => {
    try {
      out.flushSync()
    } catch {
      // Standard output is closed: there is nobody to tell.
    }
  })
  return pino(options, out)
}
