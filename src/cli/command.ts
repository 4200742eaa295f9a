import type { OptionName, OptionValues } from './options.ts'

/** One thing that the command line does. Usage, help, the check of a line and completion come out of these declarations. */
export interface Command {
  /** What it is called: `routes`, `add`. */
  readonly words: readonly string[]
  /** What follows: `ID [URL...]`; in brackets what may be left out. Default: nothing. */
  readonly takes?: string
  /** Whether the first of that is the configuration. */
  readonly takesFile?: boolean
  /** One line, as it stands in the list of all commands. */
  readonly summary: string
  /** What else there is to know, in lines of help. */
  readonly details?: readonly string[]
  /** Those that it has besides `--json` and `--help`, with what each means here. */
  readonly options?: OptionHelp
  /** Lines that can be run, without `gateway`. */
  readonly examples?: readonly string[]
  /** Resolves with the exit code: 0 done or no difference, 1 error, 2 differences. An Error that it throws is shown, with exit code 1. */
  run(input: CommandInput): Promise<number>
}

export type OptionHelp = { readonly [Name in OptionName]?: string }

/** What a command is given. */
export interface CommandInput {
  readonly words: readonly string[]
  /** Path of the configuration: `gateway.yaml` when none was named. */
  readonly config: string
  /** The configuration that was named by `--config` or `--file`. */
  readonly file: string | undefined
  readonly json: boolean
  readonly values: OptionValues
}

/** The options of commands that ask a running gateway. */
export const askOptions = {
  url: 'Where its admin API is. Default: GATEWAY_ADMIN_URL, or http://127.0.0.1:8080/admin.',
  token: 'Of the admin API. Default: GATEWAY_ADMIN_TOKEN.',
} as const satisfies OptionHelp

/** The option of commands that look into a configuration. */
export const configOption = {
  config: 'The configuration. Default: gateway.yaml.',
} as const satisfies OptionHelp

/** `gateway routes add`, for messages. */
export function nameOf({ words }: Pick<Command, 'words'>): string {
  return ['gateway', ...words].join(' ')
}
