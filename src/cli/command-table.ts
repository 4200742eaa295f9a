import type { Command } from './command.ts'
import { configurationCommands } from './configuration-commands.ts'
import { credentialCommands } from './credential-commands.ts'
import { graphqlCommands } from './graphql-commands.ts'
import { runningCommands } from './running-commands.ts'

/** All commands, in the order in which help lists them. */
export const commandTable: readonly Command[] = [
  ...runningCommands,
  ...configurationCommands,
  ...credentialCommands,
  ...graphqlCommands,
  {
    words: ['completion'],
    takes: 'bash|zsh|fish',
    summary: 'prints what makes the shell complete commands and options',
    examples: [
      'completion bash > /etc/bash_completion.d/gateway',
      'completion zsh > ~/.zfunc/_gateway',
      'completion fish > ~/.config/fish/completions/gateway.fish',
    ],
    run: async (input) => (await import('./completion.ts')).printCompletion(input, commandTable),
  },
]
