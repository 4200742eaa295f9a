import { styleText } from 'node:util'

/** How words stand out; the terminal's own colours. */
export type Tone = 'good' | 'warning' | 'bad' | 'quiet' | 'strong'

const styles = { good: 'green', warning: 'yellow', bad: 'red', quiet: 'dim', strong: 'bold' } as const

/** The text in a colour where standard output is a terminal and `NO_COLOR` is not set, else as it is. */
export function paint(tone: Tone, text: string): string {
  return styleText(styles[tone], text, { stream: process.stdout })
}

export function heading(text: string): string {
  return paint('strong', text)
}

/** Characters in a line of the terminal; undefined: standard output is none, and lines may be as long as they are. */
export function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? process.stdout.columns : undefined
}

/** Its first characters, `…` where some are missing. What would steer the terminal is taken out: it may come from strangers. */
export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`
}

/** Without characters that steer a terminal, which strangers may have put into a path or a name. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is taken out.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '·')
}

/** For programs: indented, so that people can read it too. */
export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2))
}
