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

/** Lines that wait are handed on when there are so many characters of them, or after {@link maxWaitMs}. */
const enoughCharacters = 65_536
const maxWaitMs = 100
/** What standard output does not take is kept up to here, then lines are dropped: a blocked terminal must not fill the memory. */
const maxKeptBytes = 16_777_216

/** Gathers lines here, because pino's destination measures all that it holds at every line it is given. */
function standardOutput(): DestinationStream {
  // It writes when it is told to: what it had begun to write by itself would be lost at the exit.
  const lengths = { minLength: maxKeptBytes / 16, maxWrite: maxKeptBytes / 8, maxLength: maxKeptBytes }
  const out = destination({ dest: 1, sync: false, ...lengths })
  let waiting = ''
  let timer: NodeJS.Timeout | undefined
  const handOn = (): void => {
    clearTimeout(timer)
    timer = undefined
    out.write(waiting)
    waiting = ''
    out.flush()
  }
  process.on('exit', () => {
    try {
      out.write(waiting)
      out.flushSync()
    } catch {
      // Standard output is closed: there is nobody to tell.
    }
  })
  return {
    write(line: string): void {
      waiting += line
      if (waiting.length >= enoughCharacters) handOn()
      else timer ??= setTimeout(handOn, maxWaitMs).unref()
    },
  }
}
