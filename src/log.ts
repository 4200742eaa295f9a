import { type DestinationStream, destination, type LoggerOptions, pino } from 'pino'
import type { Logger, LogLevel } from './core/log.ts'

/** The process's log: JSON lines in OpenTelemetry's words, written in batches so that a request never waits for the disk. */
export function createLog(level: LogLevel | 'silent', stream: DestinationStream = standardOutput()): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    messageKey: 'message',
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: label }) },
  }
  const log = pino(options, stream)
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    line: (severity, json) => {
      if (log.isLevelEnabled(severity)) stream.write(`${json}\n`)
    },
  }
}

function standardOutput(): DestinationStream {
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
  return out
}
