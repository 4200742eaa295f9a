import { askOptions, type Command, configOption } from './command.ts'

/** Commands about the supergraph. */
export const graphqlCommands: readonly Command[] = [
  {
    words: ['graphql', 'compose'],
    takes: '[NAME=FILE...]',
    summary:
      'composes the supergraph of these schemas, or of the configuration, whose live subgraphs are asked',
    options: {
      ...configOption,
      supergraph: 'One that is composed already.',
      output: 'Writes it there. Default: standard output.',
    },
    examples: [
      'graphql compose accounts=accounts.graphql reviews=reviews.graphql --output supergraph.graphql',
    ],
    run: async (input) => (await import('./graphql-compose.ts')).composeGraphql(input),
  },
  {
    words: ['graphql', 'plan'],
    takes: 'OPERATION',
    summary: 'shows how an operation would be run, how many fetches that takes, and what it costs',
    details: ["OPERATION is a file, or the text itself: '{ me { id } }'."],
    options: {
      ...configOption,
      supergraph: 'Instead of what the configuration says.',
      operation: 'Which operation of the text.',
      variables: 'Values of its variables.',
    },
    examples: ["graphql plan '{ me { name } }'"],
    run: async (input) => (await import('./graphql-plan.ts')).planGraphql(input),
  },
  {
    words: ['graphql', 'check'],
    takes: '[NAME=FILE...]',
    summary: 'says what a new supergraph means to clients of the one that runs, or to these operations',
    details: ['Exit code 2 when clients would break.'],
    options: {
      ...askOptions,
      ...configOption,
      supergraph: 'The new one. Default: of NAME=FILE, or of the configuration.',
      against: 'What clients have now. Default: that of a running gateway.',
      operations: 'A persisted query manifest: only what its operations lose counts.',
    },
    examples: [
      'graphql check --operations manifest.json',
      'graphql check accounts=new.graphql --against supergraph.graphql',
    ],
    run: async (input) => (await import('./graphql-check.ts')).checkGraphql(input),
  },
]
