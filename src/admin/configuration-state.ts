import type { ReadinessCheck } from './health.ts'

/** How it is with the configuration, for people. */
export interface ConfigurationState {
  /** The one that runs. 0: it came from the file while the database was gone. */
  readonly version: number
  /** The newest that this node knows of, whether it loads or not. */
  readonly wanted: number
  /** Why the newest does not run here; undefined: it does. */
  readonly refused: string | undefined
  /** Whether what runs waits to be stored. */
  readonly unstored: boolean
}

/** What `/readyz?verbose` says of it. */
export function configurationChecks({
  version,
  refused,
  unstored,
}: ConfigurationState): readonly ReadinessCheck[] {
  const running = unstored
    ? 'the file is running; it is stored when the database is back'
    : `version ${version} is running`
  return [
    { name: 'config', ok: true, required: true, detail: running },
    {
      name: 'reload',
      ok: refused === undefined,
      required: false,
      detail: refused ?? 'the newest configuration is running',
    },
  ]
}
