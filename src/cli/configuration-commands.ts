import { type Command, configOption } from './command.ts'

/** Commands about the configuration as a whole. */
export const configurationCommands: readonly Command[] = [
  {
    words: ['validate'],
    takes: '[file]',
    takesFile: true,
    summary: 'checks a configuration as start does',
    details: ['Names what is wrong with file, line and column. No backend is asked.'],
    options: { ...configOption, print: 'Shows it with every default; secrets are masked.' },
    examples: ['validate my.yaml', 'validate my.yaml --print'],
    run: async (input) => (await import('./validate.ts')).validateConfig(input),
  },
  {
    words: ['convert'],
    takes: 'FILE',
    summary: 'makes a gateway.yaml out of a configuration of Kong or APISIX, or of an OpenAPI document',
    details: [
      'Services, routes, upstreams, consumers and the plugins that most have: docs/cli.md lists them.',
      'What is not converted is named on standard error with its place; exit code 2 then.',
    ],
    options: {
      from: 'What the file is: kong (decK), apisix (stand-alone), openapi (3.0, 3.1).',
      output: 'Writes it there. Default: standard output.',
    },
    examples: ['convert --from kong kong.yaml --output gateway.yaml', 'convert --from openapi petstore.yaml'],
    run: async (input) => (await import('./convert.ts')).convertFile(input),
  },
  {
    words: ['schema'],
    summary: 'prints the JSON schema of the configuration, for editors',
    run: async () => (await import('./schema.ts')).printSchema(),
  },
  {
    words: ['routes', 'list'],
    summary: 'shows the routing table, in the words of the configuration',
    options: configOption,
    examples: ['routes list --config my.yaml'],
    run: async (input) => (await import('./routes.ts')).listRoutes(input),
  },
  {
    words: ['routes', 'explain'],
    takes: 'METHOD PATH',
    summary: 'says which route takes a request, and why others do not',
    details: ['Exit code 1 when none does.'],
    options: { ...configOption, header: 'Of the request; may be there several times.' },
    examples: ["routes explain GET /v1/users/42 -H 'X-Beta: 1' --config my.yaml"],
    run: async (input) => (await import('./routes.ts')).explainRoute(input),
  },
]
