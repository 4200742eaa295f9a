import { type DemoProcess, startProcess } from './processes.ts'

/** Every demo backend: its script, and the environment variable by which gateway.yaml finds it. */
const backends = [
  { script: 'examples/users/main.ts', variable: 'USERS_V1_URL', env: { VERSION: '1' } },
  { script: 'examples/users/main.ts', variable: 'USERS_V2_URL', env: { VERSION: '2' } },
  { script: 'examples/orders/main.ts', variable: 'ORDERS_A_URL', env: { INSTANCE: 'a' } },
  { script: 'examples/orders/main.ts', variable: 'ORDERS_B_URL', env: { INSTANCE: 'b' } },
  { script: 'examples/accounts/main.ts', variable: 'ACCOUNTS_URL', env: {} },
  { script: 'examples/products/main.ts', variable: 'PRODUCTS_URL', env: {} },
  { script: 'examples/reviews/main.ts', variable: 'REVIEWS_URL', env: {} },
  { script: 'examples/library/main.ts', variable: 'LIBRARY_URL', env: {} },
] as const

/** Running backends, and the environment that leads a gateway to them. */
export interface DemoBackends {
  readonly processes: readonly DemoProcess[]
  readonly environment: Readonly<Record<string, string>>
}

/** Starts all of them on free ports; ends those that started when one does not. */
export async function startDemoBackends(): Promise<DemoBackends> {
  const started = await Promise.allSettled(
    backends.map(({ script, env }) => startProcess({ script, env: { ...env, PORT: '0' } })),
  )
  const processes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failure = started.find((result) => result.status === 'rejected')
  if (failure !== undefined) {
    await Promise.all(processes.map((backend) => backend.stop()))
    throw failure.reason
  }
  const environment = Object.fromEntries(
    backends.map(({ variable }, index) => [variable, processes[index]?.url ?? '']),
  )
  return { processes, environment }
}
