import type { Command } from './command.ts'
import { nameOf } from './command.ts'
import { type OptionName, optionUsage } from './options.ts'
import { heading } from './terminal.ts'

/** The list of these commands. */
export function usage(commands: readonly Command[]): string {
  const lines = commands.map(
    ({ words, takes = '', summary }) => [`${words.join(' ')} ${takes}`.trim(), summary] as const,
  )
  const width = 38
  const listed = lines.map(([name, summary]) =>
    name.length > width
      ? `  ${name}\n  ${''.padEnd(width)}  ${summary}`
      : `  ${name.padEnd(width)}  ${summary}`,
  )
  return `gateway <command> [options]

${listed.join('\n')}

gateway help COMMAND explains one, with its options and examples. Every command takes --json.
Commands that ask a running gateway find its admin API by --url or GATEWAY_ADMIN_URL (default http://127.0.0.1:8080/admin), with --token or GATEWAY_ADMIN_TOKEN.
Exit code: 0 done or no difference, 1 error, 2 differences, or clients would break.`
}

/** What one command does. */
export function commandHelp(command: Command): string {
  const { summary, details = [], options = {}, examples = [] } = command
  const own = Object.entries(options).map(([name, help]) => [optionUsage(name as OptionName), help] as const)
  const all = [...own, ['--json', 'Prints JSON, for programs.'] as const]
  const width = Math.max(...all.map(([name]) => name.length))
  const parts = [
    usageLine(command),
    [summary, ...details].map((line) => `  ${line}`).join('\n'),
    `${heading('Options')}\n${all.map(([name, help]) => `  ${name.padEnd(width)}  ${help}`).join('\n')}`,
  ]
  if (examples.length > 0)
    parts.push(`${heading('Examples')}\n${examples.map((example) => `  gateway ${example}`).join('\n')}`)
  return parts.join('\n\n')
}

/** `gateway routes add ID [options]`. */
export function usageLine(command: Command): string {
  const { takes, options = {} } = command
  const rest = Object.keys(options).length > 0 ? ' [options]' : ''
  return `${nameOf(command)}${takes === undefined ? '' : ` ${takes}`}${rest}`
}
