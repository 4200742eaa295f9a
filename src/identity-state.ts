import { Revocations } from './plugins/identity/revocations.ts'

/** What a gateway knows of credentials besides its configuration; made once, so that no reload loses it. */
export class IdentityState {
  readonly revocations = new Revocations()
}
