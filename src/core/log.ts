/** Levels of the log, least important first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Structured log: the fields first, then a sentence. pino's logger has this shape. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /**
   * Writes a line that is JSON already, severity, timestamp and message included. Loggers of somebody else's do without: they get
   * its fields by the methods above, which costs several times as much.
   */
  line?(level: LogLevel, json: string): void
}

/** A logger that drops everything; for tests and embedded use. */
export const silentLog: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}
