import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { ownFolder, startOwnProcess } from './own-process.ts'
import { ensureProgram } from './programs.ts'

/** An nginx of our own: one process, nothing shared with an installed one. */
export interface Nginx {
  /** `http://127.0.0.1:port`, without a slash at the end. */
  readonly url: string
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/**
 * Serves the files under the absolute path `root`: types for html, txt, json and png, else
 * `application/octet-stream`. `extra` is put into the server block.
 */
export async function startNginx(options: {
  readonly root: string
  readonly extra?: string
}): Promise<Nginx> {
  return startNginxWith(
    (port) => `
      types { text/html html; text/plain txt; application/json json; image/png png; }
      default_type application/octet-stream;
      sendfile on;
      server {
        listen 127.0.0.1:${port};
        root "${options.root}";
        ${options.extra ?? ''}
      }`,
  )
}

/**
 * Starts nginx with what `config` returns as its http block: `server { listen 127.0.0.1:${port}; ... }`,
 * `upstream`, `limit_req_zone` and so on. `dir` is the folder of this nginx, removed on stop; error.log and
 * the temporary files are in it. There is no access log. Resolves when connections are accepted.
 */
export async function startNginxWith(config: (port: number, dir: string) => string): Promise<Nginx> {
  const program = await ensureProgram('nginx')
  const port = await freePort()
  const dir = await ownFolder('nginx')
  const file = join(dir, 'nginx.conf')
  await writeFile(file, wholeConfig(config(port, dir), dir))
  const args = ['-p', dir, '-c', file, '-e', 'stderr']
  const nginx = await startOwnProcess({ program, args, folder: dir, port })
  return { url: `http://127.0.0.1:${port}`, port, pid: nginx.pid, stop: nginx.kill }
}

// One process, without a master: a SIGKILL leaves no worker behind, and all its CPU time is under one pid.
function wholeConfig(http: string, dir: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
    daemon off;
    master_process off;
    pid "${dir}/nginx.pid";
    error_log "${dir}/error.log" warn;
    events { worker_connections 4096; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path "${dir}/${name}";`).join('\n      ')}
      ${http}
    }`
}
