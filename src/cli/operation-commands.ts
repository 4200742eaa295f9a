import { askOptions, type Command } from './command.ts'

const verbs = {
  promote: 'goes on to the next step of a release',
  pause: 'stays at the step',
  resume: 'goes on after a pause, or begins anew after a rollback',
  abort: 'sends everybody to the stable side',
} as const

/** Commands that look at a running gateway, and steer it. */
export const operationCommands: readonly Command[] = [
  {
    words: ['status'],
    summary: 'shows which node runs which version, and how the targets of upstreams are',
    details: ['Exit code 2 when a node does not run the newest version.'],
    options: askOptions,
    run: async (input) => (await import('./status.ts')).showStatus(input),
  },
  {
    words: ['live'],
    summary: 'watches how the gateway is doing, second by second',
    options: askOptions,
    run: async (input) => (await import('./live.ts')).watchLive(input),
  },
  {
    words: ['logs'],
    summary: 'shows the latest requests, or all that happened to one',
    details: [
      'With --trace: who made it, each call and attempt, and why it failed; exit code 1 when it is not there.',
    ],
    options: {
      ...askOptions,
      trace: 'X-Trace-ID of the answer.',
      status: 'Also 400-499.',
      route: 'Of this route; unrouted for what none took.',
      consumer: 'Of this caller.',
      since: 'Not before.',
      follow: 'Goes on with each request as it settles.',
    },
    examples: [
      'logs --trace 4bf92f3577b34da6a3ce929d0e0e4736',
      'logs --status 5xx --since 15m',
      'logs --follow --route shop',
    ],
    run: async (input) => (await import('./logs.ts')).showLogs(input),
  },
  {
    words: ['audit'],
    summary: 'shows who changed what by the admin API, newest first',
    options: { ...askOptions, since: 'Not before.', name: 'Of this token only.' },
    examples: ['audit', 'audit --name ops --json'],
    run: async (input) => (await import('./audit.ts')).showAudit(input),
  },
  {
    words: ['permissions'],
    summary: 'shows who may call what',
    options: askOptions,
    run: async (input) => (await import('./status.ts')).showPermissions(input),
  },
  {
    words: ['services', 'list'],
    summary: 'lists instances that registered with this gateway',
    options: askOptions,
    run: async (input) => (await import('./services.ts')).listServices(input),
  },
  {
    words: ['services', 'register'],
    takes: 'SERVICE URL',
    summary: 'registers an instance, for upstreams with discovery of type registry; again, to renew it',
    options: {
      ...askOptions,
      weight: 'Its share. Default: 100.',
      expires: 'How long without being renewed. Default: 30s.',
    },
    examples: ['services register shop http://10.0.0.7:3000 --weight 50'],
    run: async (input) => (await import('./services.ts')).registerService(input),
  },
  {
    words: ['services', 'deregister'],
    takes: 'SERVICE URL',
    summary: 'takes an instance out: no new calls go to it',
    options: askOptions,
    run: async (input) => (await import('./services.ts')).deregisterService(input),
  },
  {
    words: ['canary', 'list'],
    summary: 'lists releases, and how both sides do',
    options: askOptions,
    run: async (input) => (await import('./canary.ts')).listCanaries(input),
  },
  {
    words: ['canary', 'status'],
    takes: 'PLACE',
    summary: 'shows a release: of a route by its id, of graphql/NAME, of grpc/SERVICE',
    options: askOptions,
    examples: ['canary status users-v1'],
    run: async (input) => (await import('./canary.ts')).showCanary(input),
  },
  ...Object.entries(verbs).map(
    ([verb, summary]): Command => ({
      words: ['canary', verb],
      takes: 'PLACE',
      summary,
      options: askOptions,
      run: async (input) => (await import('./canary.ts')).steerCanary(input, verb),
    }),
  ),
  {
    words: ['cache', 'purge'],
    summary: 'forgets what was found out about tokens on this node',
    options: askOptions,
    run: async (input) => (await import('./status.ts')).purgeCache(input),
  },
]
