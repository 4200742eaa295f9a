import { type Command, configOption } from './command.ts'

/** Commands that run a gateway, or look whether one could run here. */
export const runningCommands: readonly Command[] = [
  {
    words: ['start'],
    takes: '[file]',
    takesFile: true,
    summary: 'runs the gateway',
    details: ['SIGHUP or a change of the file reloads; SIGTERM drains: no request is lost.'],
    options: { ...configOption, port: 'Instead of that of server.listen; 0 takes a free one.' },
    examples: ['start my.yaml', 'start --config my.yaml --port 9000'],
    run: async (input) => (await import('./start.ts')).startGateway(input),
  },
  {
    words: ['doctor'],
    takes: '[file]',
    takesFile: true,
    summary: 'looks whether a gateway could run here, and says what to do where not',
    details: [
      'Looks at Node, open files, the configuration with all files that it names, certificates, ports, Redis and its clock, upstreams.',
      'Exit code 1 when something fails.',
    ],
    options: configOption,
    examples: ['doctor my.yaml'],
    run: async (input) => (await import('./doctor.ts')).examine(input),
  },
]
