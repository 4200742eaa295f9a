import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { ConfigError } from '../config/problem.ts'
import { SeenFiles } from '../config/seen-files.ts'
import { FileWatcher } from '../config/watch.ts'
import { type DiffSide, diffConfigs } from '../control/diff-config.ts'
import type { Logger } from '../core/log.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import { printChanges } from './changes.ts'
import type { CommandInput } from './command.ts'
import { lineOf } from './logged-request.ts'
import { portOf } from './start.ts'
import { harmless, paint } from './terminal.ts'
import { untilStopped } from './until-stopped.ts'
import { rowCount } from './validate.ts'

/** `gateway dev [file]`: a gateway to work with. Each change of the file is told as it applies, or what is wrong with it; each request is a line. */
export async function developGateway(input: CommandInput): Promise<number> {
  const { config: file } = input
  if (!existsSync(file))
    throw new Error(
      `${file} is not there; gateway upstreams add shop http://127.0.0.1:3000 --file ${file} makes one`,
    )
  let gateway: Gateway | undefined
  let before: DiffSide | undefined
  const log = devLog({
    applied() {
      if (gateway === undefined) return
      const after = sideOf(gateway)
      say('good', `configuration ${gateway.control.version} runs`)
      if (before !== undefined) printChanges(diffConfigs(before, after), (line) => console.log(`    ${line}`))
      before = after
    },
    refused(problems) {
      say('bad', `${file} is refused; the old configuration runs on`)
      for (const problem of problems) console.log(`    ${harmless(problem)}`)
    },
  })
  gateway = await build(file, log)
  try {
    const url = await gateway.listen(portOf(input))
    before = sideOf(gateway)
    say('good', `${url} serves ${file}: ${rowCount(gateway.rows.length)}; Ctrl-C ends it`)
    for (const { protocol, methods, template, leadsTo = '' } of gateway.rows.slice(0, 20))
      console.log(harmless(`    ${protocol} ${methods.join(',') || 'ANY'} ${template} ${leadsTo}`))
  } catch (error) {
    await gateway.dispose()
    throw error
  }
  const over = new AbortController()
  const shown = showRequests(gateway, input, over.signal)
  await untilStopped(gateway)
  over.abort()
  await shown
  return 0
}

/** Waits for the file to be right, where it is not. */
async function build(file: string, log: Logger): Promise<Gateway> {
  for (;;) {
    const files = new SeenFiles()
    files.see(resolve(file))
    try {
      return await createGateway({ file, environment: process.env, log })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      say('bad', `${file} cannot run; it is tried again when it changes`)
      console.log(error.message.replace(/^/gm, '    '))
      await changed(files)
    }
  }
}

function changed(files: SeenFiles): Promise<void> {
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 60_000)
    const watcher = new FileWatcher(() => {
      clearInterval(alive)
      watcher.close()
      resolve()
    })
    watcher.watch(files)
  })
}

async function showRequests(gateway: Gateway, { json }: CommandInput, signal: AbortSignal): Promise<void> {
  if (!gateway.requestLog.isOn) {
    say('warning', 'requests are not shown: observability.requestLog.entries is 0')
    return
  }
  for await (const entry of gateway.requestLog.follow({}, signal))
    console.log(json ? JSON.stringify(entry) : lineOf(entry))
}

function sideOf({ control, config }: Gateway): DiffSide {
  return { data: parse(control.text) ?? {}, config }
}

/** What the gateway says, in words for who works on it. */
function devLog(told: { applied(): void; refused(problems: readonly string[]): void }): Logger {
  const others = (tone: 'warning' | 'bad') => (fields: object, message: string) => {
    const { problems, ...rest } = fields as { problems?: readonly string[] }
    if (problems !== undefined) told.refused(problems)
    else say(tone, harmless(`${message}${Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''}`))
  }
  return {
    debug: () => {},
    info(_, message) {
      // When it is told, the new configuration runs.
      if (message === 'configuration applied') told.applied()
    },
    warn: others('warning'),
    error: others('bad'),
    // Requests are shown from the request log, whether the configuration has accessLog or not.
    line: () => {},
  }
}

function say(tone: 'good' | 'warning' | 'bad', text: string): void {
  console.log(`${paint('quiet', new Date().toISOString().slice(11, 23))}  ${paint(tone, text)}`)
}
