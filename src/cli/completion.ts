import type { Command, CommandInput } from './command.ts'
import { type OptionName, options } from './options.ts'

/** `gateway completion bash|zsh|fish`: a script that completes by itself: the gateway is not asked while somebody types. */
export async function printCompletion(
  { words: [shell = ''] }: CommandInput,
  commands: readonly Command[],
): Promise<number> {
  const write = shells[shell]
  if (write === undefined)
    throw new Error(`completion is written for ${Object.keys(shells).join(', ')}, not for "${shell}"`)
  console.log(write(placesOf(commands)))
  return 0
}

/** What may come next behind these words. */
interface Place {
  /** `''`, `routes`, `routes add`. */
  readonly words: string
  /** With what each does; empty behind a whole command. */
  readonly next: readonly (readonly [word: string, summary: string])[]
  readonly options: readonly (readonly [name: string, help: string])[]
}

function placesOf(commands: readonly Command[]): Place[] {
  const groups = new Map<string, [string, string][]>()
  for (const { words, summary } of commands)
    words.forEach((word, index) => {
      const before = words.slice(0, index).join(' ')
      const known = groups.get(before) ?? []
      groups.set(before, known)
      if (known.some(([other]) => other === word)) return
      const others = commands.filter((one) => one.words[0] === words[0]).map((one) => one.words[1] ?? '')
      known.push([word, index === words.length - 1 ? summary : others.filter((one) => one !== '').join(', ')])
    })
  const whole = commands.map((command): Place => {
    const own = Object.entries(command.options ?? {})
    const shared = [
      ['json', 'Prints JSON, for programs.'],
      ['help', 'Explains the command.'],
    ]
    return {
      words: command.words.join(' '),
      next: (command.takes?.includes('|') ? command.takes.split('|') : []).map((word) => [word, ''] as const),
      options: [...own, ...shared].map(([name = '', help = '']) => [`--${name}`, help] as const),
    }
  })
  return [...whole, ...[...groups].map(([words, next]) => ({ words, next, options: [] }))]
}

const shells: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash: (places) => `# bash completion for gateway
_gateway() {
  local current=\${COMP_WORDS[COMP_CWORD]} line="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} == -* ]] || line+="\${line:+ }\${COMP_WORDS[i]}"
  done
  case "$line" in
${places.map((place) => `    ${patternOf(place)}) words=${quoted([...place.next, ...place.options].map(([word]) => word).join(' '))} ;;`).join('\n')}
  esac
  [[ $current == -* || $line == "" || -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _gateway gateway`,
  zsh: (places) => `#compdef gateway
_gateway() {
  local line="" i
  local -a next
  for ((i = 2; i < CURRENT; i++)); do
    [[ \${words[i]} == -* ]] || line+="\${line:+ }\${words[i]}"
  done
  case "$line" in
${places.map((place) => `    ${patternOf(place)}) next=(${[...place.next, ...place.options].map(([word, help]) => quoted(`${word.replaceAll(':', '\\:')}:${help}`)).join(' ')}) ;;`).join('\n')}
  esac
  _describe 'gateway' next
  _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _gateway "$@"; else compdef _gateway gateway; fi`,
  fish: (places) => `# fish completion for gateway
function __gateway_at
    set -l line (string match --invert -- '-*' (commandline -opc)[2..])
    test "$line" = "$argv[1]"; or begin
        test "$argv[2]" = within; and string match -q -- "$argv[1] *" "$line"
    end
end
${places
  .flatMap(({ words, next, options: own }) => [
    ...next.map(
      ([word, help]) =>
        `complete -c gateway -f -n "__gateway_at ${quoted(words)}" -a ${quoted(word)} -d ${quoted(help)}`,
    ),
    ...own.map(([name, help]) => {
      const takesValue = options[name.slice(2) as OptionName].type === 'string'
      return `complete -c gateway -n "__gateway_at ${quoted(words)} within" -l ${name.slice(2)}${takesValue ? ' -r' : ''} -d ${quoted(help)}`
    }),
  ])
  .join('\n')}`,
}

/** Behind a whole command anything may stand; behind half of one nothing else. */
function patternOf({ words, options: own }: Place): string {
  if (words === '') return '""'
  return own.length > 0 ? `"${words}"|"${words} "*` : `"${words}"`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
