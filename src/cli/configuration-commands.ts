import { askOptions, type Command, configOption, writeOptions } from './command.ts'

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
    words: ['diff'],
    takes: '[file]',
    takesFile: true,
    summary: 'shows what a file would change of the configuration that runs',
    details: ['Exit code 2 when it differs.'],
    options: { ...askOptions, ...configOption, version: 'From that version instead of what runs.' },
    examples: ['diff my.yaml'],
    run: async (input) => (await import('./versions.ts')).diffFile(input),
  },
  {
    words: ['apply'],
    takes: '[file]',
    takesFile: true,
    summary: 'puts a file in place of the configuration that runs, as a new version',
    details: ['All of it is checked and built before; then every node takes it over in one step.'],
    options: {
      ...askOptions,
      ...configOption,
      ...writeOptions,
      'if-match': 'Only while the configuration that runs has this tag. Default: the one that it has now.',
      force: 'Even when somebody changes something at the same time.',
    },
    examples: ['apply my.yaml --dry-run', 'apply my.yaml --message "new shop"'],
    run: async (input) => (await import('./versions.ts')).applyFile(input),
  },
  {
    words: ['export'],
    summary: 'prints the configuration that runs, with its comments; secrets are masked',
    options: { ...askOptions, version: 'What ran as this version instead.', output: 'Writes it there.' },
    examples: ['export --output now.yaml', 'export --version 3'],
    run: async (input) => (await import('./versions.ts')).exportConfig(input),
  },
  {
    words: ['versions'],
    takes: '[N]',
    summary: 'lists the versions of the configuration, or shows what one of them changed',
    options: askOptions,
    examples: ['versions', 'versions 4'],
    run: async (input) => (await import('./versions.ts')).showVersions(input),
  },
  {
    words: ['rollback'],
    takes: 'N',
    summary: 'runs an old version again, as a new one',
    options: { ...askOptions, ...writeOptions },
    examples: ['rollback 3 --message "the new limit was wrong"'],
    run: async (input) => (await import('./versions.ts')).rollbackTo(input),
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
]
