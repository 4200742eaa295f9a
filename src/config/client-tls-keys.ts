import { z } from 'zod'

/** How a server that the gateway connects to is verified, and who the gateway is to it. */
export const clientTlsKeys = z
  .strictObject({
    ca: z
      .string()
      .optional()
      .describe(
        'Certificates in PEM of the authorities to trust; mostly file://path. Default: those of Node.',
      ),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe("Name that the certificate must be for. Default: the URL's."),
    cert: z.string().optional().describe('Our own certificate in PEM, where the backend wants one.'),
    key: z.string().optional().describe('Its private key in PEM.'),
    insecureSkipVerify: z
      .boolean()
      .default(false)
      .describe('DANGEROUS: takes any certificate, so that anybody between may read and change everything.'),
  })
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    context.addIssue({ code: 'custom', message: `needs ${missing} beside it`, path: [there] })
  })
