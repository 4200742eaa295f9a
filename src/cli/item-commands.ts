import type { ItemKind } from '../control/change.ts'
import { askOptions, type Command, fileOption, type OptionHelp, writeOptions } from './command.ts'

const where = { ...askOptions, ...fileOption } as const
const set = { set: 'Any key, as VALUE in YAML; null takes it away. May be there several times.' } as const

const routeOptions = {
  path: 'The template of its path: * is one segment, ** any number.',
  upstream: 'Who answers.',
  method: 'Default: all. May be there several times.',
  host: 'Default: all. May be there several times.',
  'strip-prefix': 'Taken off the path before the upstream sees it.',
  limit: 'Requests of one caller in a time; none takes it away.',
  auth: 'Whether callers must prove who they are. Default: required.',
  role: 'One of those that a caller needs one of.',
  scope: 'One of those that a caller needs all of.',
  ...set,
} as const

/** Commands about single things of the configuration: of a running gateway, or with `--file` of a plain file. */
export const itemCommands: readonly Command[] = [
  {
    words: ['routes', 'list'],
    summary: 'lists the routes; with --file the routing table of all protocols',
    options: where,
    examples: ['routes list', 'routes list --file my.yaml'],
    run: async (input) =>
      input.file === undefined
        ? (await import('./items.ts')).listItems(input, 'routes')
        : (await import('./routes.ts')).listRoutes(input),
  },
  {
    words: ['routes', 'explain'],
    takes: 'METHOD PATH',
    summary: 'says which route takes a request, and why others do not',
    details: ['Exit code 1 when none does.'],
    options: { ...where, header: 'Of the request; may be there several times.' },
    examples: ["routes explain GET /v1/users/42 -H 'X-Beta: 1'"],
    run: async (input) =>
      input.file === undefined
        ? (await import('./explain.ts')).explainRunning(input)
        : (await import('./routes.ts')).explainRoute(input),
  },
  ...editing('routes', {
    add: 'ID',
    set: 'ID',
    options: routeOptions,
    examples: [
      "routes add shop --path '/v1/shop/**' --upstream shop --limit 100/1m --auth none",
      'routes set shop --limit 5/1m --message "too much"',
    ],
  }),
  ...listing('upstreams', 'lists the upstreams with their targets'),
  ...editing('upstreams', {
    add: 'NAME URL...',
    set: 'NAME [URL...]',
    options: set,
    examples: ['upstreams add shop http://127.0.0.1:3000', 'upstreams set shop --set timeouts.request=2s'],
  }),
  ...listing('consumers', 'lists the callers that have keys'),
  ...editing('consumers', {
    add: 'ID',
    set: 'ID',
    options: {
      name: 'For people.',
      role: 'One that they have. May be there several times.',
      scope: 'One that they have. May be there several times.',
      limit: 'All requests of the consumer together.',
      ...set,
    },
    examples: ['consumers add acme --role reader', 'consumers set acme --limit 1000/1h'],
  }),
  ...listing('plugins', 'lists the plugins of every route, in run order'),
  ...editing('plugins', {
    add: 'NAME',
    set: 'NAME',
    options: set,
    examples: ['plugins add securityHeaders', 'plugins set cors --set maxAge=1h'],
  }),
]

function listing(kind: ItemKind, summary: string): readonly Command[] {
  return [
    {
      words: [kind, 'list'],
      summary,
      options: where,
      run: async (input) => (await import('./items.ts')).listItems(input, kind),
    },
  ]
}

interface Editing {
  /** What follows `add`, and what follows `set`. */
  readonly add: string
  readonly set: string
  readonly options: OptionHelp
  readonly examples: readonly [add: string, set: string]
}

function editing(kind: ItemKind, { add, set, options, examples }: Editing): readonly Command[] {
  const one = {
    routes: 'a route',
    upstreams: 'an upstream',
    consumers: 'a consumer',
    plugins: 'a plugin for every route',
  }[kind as 'routes']
  const all = { ...options, ...where, ...writeOptions }
  return [
    {
      words: [kind, 'get'],
      takes: 'ID',
      summary: `shows ${one} as it is written`,
      options: where,
      run: async (input) => (await import('./items.ts')).getItem(input, kind),
    },
    {
      words: [kind, 'add'],
      takes: add,
      summary: `adds ${one}`,
      options: all,
      examples: [examples[0], `${examples[0]} --file my.yaml`],
      run: async (input) => (await import('./items.ts')).addItem(input, kind),
    },
    {
      words: [kind, 'set'],
      takes: set,
      summary: `changes ${one}: what the options name, and nothing else`,
      options: all,
      examples: [examples[1]],
      run: async (input) => (await import('./items.ts')).setItem(input, kind),
    },
    {
      words: [kind, 'remove'],
      takes: 'ID',
      summary: `removes ${one}; refused while something refers to it`,
      options: { ...where, ...writeOptions },
      run: async (input) => (await import('./items.ts')).removeItem(input, kind),
    },
  ]
}
