import { parseArgs } from 'node:util'
import { nearestWord } from '../config/nearest-word.ts'
import { ConfigError } from '../config/problem.ts'
import { type Command, type CommandInput, nameOf } from './command.ts'
import { commandTable } from './command-table.ts'
import { commandHelp, usage, usageLine } from './help.ts'
import { type OptionName, type OptionValues, options } from './options.ts'

/** Runs one command line. Resolves with the exit code: 0 done or no difference, 1 error, 2 differences, or clients would break. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    const { positionals, tokens } = parseArgs({
      args: [...argv],
      options,
      strict: false,
      allowPositionals: true,
      tokens: true,
    })
    const given = tokens.flatMap((token) => (token.kind === 'option' ? [token] : []))
    const asksHelp = positionals[0] === 'help' || given.some(({ name }) => name === 'help')
    const words = positionals[0] === 'help' ? positionals.slice(1) : positionals
    const command = commandTable.find((one) => one.words.every((word, index) => words[index] === word))
    if (asksHelp || words.length === 0) return showHelp(words, command)
    if (command === undefined) throw new UnknownCommand(unknownCommand(words))
    const unknown = given.find(({ name }) => !takenBy(command).includes(name))
    if (unknown !== undefined) throw new Error(unknownOption(command, unknown.rawName))
    return await command.run(inputOf(command, argv))
  } catch (error) {
    console.error(describeFailure(error))
    return 1
  }
}

class UnknownCommand extends Error {}

function showHelp(words: readonly string[], command: Command | undefined): number {
  if (words.length === 0) console.log(usage(commandTable))
  else if (command !== undefined) console.log(commandHelp(command))
  else {
    const begun = commandTable.filter((one) => words.every((word, index) => one.words[index] === word))
    if (begun.length === 0) throw new UnknownCommand(unknownCommand(words))
    console.log(usage(begun))
  }
  return 0
}

function inputOf(command: Command, argv: readonly string[]): CommandInput {
  const taken = takenBy(command) as readonly OptionName[]
  const { positionals, values } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(taken.map((name) => [name, options[name]])),
    allowPositionals: true,
  })
  const words = positionals.slice(command.words.length)
  const [least, most] = wordCount(command)
  if (words.length < least || words.length > most)
    throw new Error(`usage: ${usageLine(command)}; it ${command.summary}`)
  const given = values as OptionValues
  const file = given.config ?? given.file
  const config = file ?? (command.takesFile === true ? words[0] : undefined) ?? 'gateway.yaml'
  return { words, config, file, json: given.json === true, values: given }
}

/** How many words follow the name, at least and at most. */
function wordCount({ takes = '' }: Command): readonly [number, number] {
  const places = takes.split(' ').filter((place) => place !== '')
  const most = takes.includes('...') ? Number.POSITIVE_INFINITY : places.length
  return [places.filter((place) => !place.startsWith('[')).length, most]
}

function takenBy({ options: own = {} }: Command): readonly string[] {
  return [...Object.keys(own), 'json', 'help']
}

function unknownOption(command: Command, written: string): string {
  const taken = takenBy(command).map((name) => `--${name}`)
  const nearest = nearestWord(written, taken)
  const hint = nearest === undefined ? '.' : `; did you mean ${nearest}?`
  return `${nameOf(command)} takes no option ${written}${hint} It takes ${taken.join(', ')}.`
}

/** With the commands that begin so, or the nearest. */
function unknownCommand(words: readonly string[]): string {
  const [first = '', ...more] = words
  const group = commandTable.filter((command) => command.words.length > 1 && command.words[0] === first)
  const names = group.map((command) => command.words.join(' '))
  if (more.length === 0 && names.length > 0)
    return `"${first}" of what? ${names.join(', ')}; gateway --help explains them`
  const nearest =
    names.length > 0
      ? nearestWord(words.slice(0, 2).join(' '), names)
      : nearestWord(first, [...new Set(commandTable.map((command) => command.words[0] ?? ''))])
  const hint = nearest === undefined ? '' : ` did you mean "gateway ${nearest}"?`
  return `unknown command "${words.join(' ')}";${hint} gateway --help lists them`
}

function describeFailure(error: unknown): string {
  if (error instanceof ConfigError || error instanceof UnknownCommand) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') {
    const { address = '', port = 0 } = error as { address?: string; port?: number }
    return `port ${port} on ${address} is taken by another process; choose another with --port or server.listen`
  }
  if (code === 'EACCES') return `${message}; ports below 1024 need privileges`
  return `gateway: ${message ?? String(error)}`
}
