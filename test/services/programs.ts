import { execFile } from 'node:child_process'
import { access, constants, glob, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const packages = {
  chromium: 'chromium',
  dnsmasq: 'dnsmasq-base',
  'docker-compose': 'docker-compose',
  etcd: 'etcd-server',
  fish: 'fish',
  h2load: 'nghttp2-client',
  haproxy: 'haproxy',
  kubectl: 'kubernetes-client',
  nginx: 'nginx',
  postgres: 'postgresql',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  wrk: 'wrk',
  zsh: 'zsh',
} as const

/** A program that the tests or the benchmark run but that npm cannot bring. */
export type Program = keyof typeof packages

/**
 * Absolute path of `program`, from `PATH` or from the places where Debian hides such programs. One that is
 * missing is installed with apt-get when we are root; no service is started by that. Several processes may
 * ask at once. Throws an Error that says what to install where we cannot.
 */
export async function ensureProgram(
  program: Program,
  options: { readonly folders?: readonly string[]; readonly mayInstall?: boolean } = {},
): Promise<string> {
  const { folders, mayInstall = true } = options
  const present = await findProgram(program, folders)
  if (present !== undefined) return present

  const packageName = packages[program]
  const aptGet = await findProgram('apt-get')
  if (!mayInstall || process.getuid?.() !== 0 || aptGet === undefined) {
    throw new Error(
      `${program} is missing: install the Debian package ${packageName} (apt-get install ${packageName}), ` +
        `or put ${program} on PATH`,
    )
  }
  process.stderr.write(`${program} is missing: installing the Debian package ${packageName}\n`)
  await install(packageName)
  const installed = await findProgram(program, folders)
  if (installed === undefined) throw new Error(`the Debian package ${packageName} brought no ${program}`)
  return installed
}

/** Absolute path of the first executable file `name` in `folders`, by default `PATH` and Debian's places. */
export async function findProgram(name: string, folders?: readonly string[]): Promise<string | undefined> {
  for (const folder of folders ?? (await usualFolders())) {
    const path = resolve(folder, name)
    if (await isExecutable(path)) return path
  }
  return undefined
}

async function usualFolders(): Promise<string[]> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const postgres = await Array.fromAsync(glob('/usr/lib/postgresql/*/bin'))
  postgres.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  const docker = ['/usr/libexec', '/usr/lib', '/usr/local/lib', '/usr/local/libexec'].map(
    (folder) => `${folder}/docker/cli-plugins`,
  )
  return [
    ...onPath,
    '/usr/local/bin',
    '/usr/bin',
    '/usr/local/sbin',
    '/usr/sbin',
    ...postgres,
    join(homedir(), '.docker/cli-plugins'),
    ...docker,
  ]
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

// policy-rc.d is how Debian asks whether a package may start its service: 101 says no (invoke-rc.d(8)). Ours
// goes away with the shell, and one that a killed run left behind is known by its mark; the machine's own one
// stays, and unless it says no as well, nothing is installed.
const installScript = `
set -eu
dpkg-query --show --showformat '\${Status}\\n' "$1" 2>/dev/null | grep -q ' installed$' && exit
policy=/usr/sbin/policy-rc.d
mark='# for as long as the tests of trivium install a package'
if [ -e "$policy" ] && ! grep -qxF "$mark" "$policy"; then
  answer=0; "$policy" "$1" start || answer=$?
  [ "$answer" = 101 ] || { echo "$policy lets services start: install $1 by hand" >&2; exit 1; }
else
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\n%s\\nexit 101\\n' "$mark" > "$policy"
  chmod 755 "$policy"
fi
apt-get update -q
apt-get install -q -y --no-install-recommends "$1"
`

// flock(1) waits for whoever else is installing, and the kernel frees the lock of a process that died.
async function install(packageName: string): Promise<void> {
  const lock = join(tmpdir(), 'trivium-install.lock')
  const command = ['--wait', '900', lock, 'sh', '-c', installScript, 'install', packageName]
  try {
    await promisify(execFile)('flock', command, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    })
  } catch (cause) {
    const output = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause)
    throw new Error(`the Debian package ${packageName} could not be installed: ${output}`, { cause })
  }
}
