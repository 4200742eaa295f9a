/** What the doctor says of one thing. */
export interface Finding {
  /** `ok`; `warn`: it works, and somebody should know; `fail`: it does not work. */
  readonly level: 'ok' | 'warn' | 'fail'
  /** What was looked at: `port`, `upstream`, `certificate`. */
  readonly about: string
  /** Which one, and how it is. */
  readonly says: string
  /** What to do; absent: nothing. */
  readonly todo?: string
}

export function ok(about: string, says: string): Finding {
  return { level: 'ok', about, says }
}

export function warn(about: string, says: string, todo: string): Finding {
  return { level: 'warn', about, says, todo }
}

export function fail(about: string, says: string, todo: string): Finding {
  return { level: 'fail', about, says, todo }
}
