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
    words: ['dev'],
    takes: '[file]',
    takesFile: true,
    summary:
      'runs the gateway for who works on it: tells each change as it applies, and each request in a line',
    details: [
      'A file that is wrong is told with its places, and tried again when it changes. No other service is needed.',
    ],
    options: { ...configOption, port: 'Instead of that of server.listen; 0 takes a free one.' },
    examples: ['dev my.yaml'],
    run: async (input) => (await import('./dev.ts')).developGateway(input),
  },
  {
    words: ['doctor'],
    takes: '[file]',
    takesFile: true,
    summary: 'looks whether a gateway could run here, and says what to do where not',
    details: [
      'Looks at Node, open files, the configuration with all files that it names, certificates, ports, Redis and its clock, upstreams, the database.',
      'Exit code 1 when something fails.',
    ],
    options: configOption,
    examples: ['doctor my.yaml'],
    run: async (input) => (await import('./doctor.ts')).examine(input),
  },
]
