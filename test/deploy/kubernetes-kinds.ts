import { z } from 'zod'

// The fields that deploy/kubernetes uses, by the Kubernetes API reference (v1.32) and that of the Prometheus operator. Strict, so that
// a field that is misspelled, or stands in a wrong place, is found without a cluster.

const labels = z.record(z.string(), z.string())
const matchLabels = z.strictObject({ matchLabels: labels })
const metadata = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
  namespace: z.string().optional(),
  labels: labels.optional(),
  annotations: labels.optional(),
})
const cpu = z.string().regex(/^\d+m?$/)
const memory = z.string().regex(/^\d+(Mi|Gi)$/)
const port = z.union([z.string(), z.int()])
const protocol = z.enum(['TCP', 'UDP'])

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port }),
  periodSeconds: z.int().min(1).optional(),
  timeoutSeconds: z.int().min(1).optional(),
  failureThreshold: z.int().min(1).optional(),
})

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).optional(),
  ports: z.array(z.strictObject({ name: z.string().max(15), containerPort: z.int() })).optional(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  envFrom: z.array(z.strictObject({ secretRef: z.strictObject({ name: z.string() }) })).optional(),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  resources: z
    .strictObject({
      requests: z.strictObject({ cpu, memory }),
      limits: z.strictObject({ cpu: cpu.optional(), memory }),
    })
    .optional(),
  securityContext: z
    .strictObject({
      allowPrivilegeEscalation: z.boolean(),
      readOnlyRootFilesystem: z.boolean(),
      capabilities: z.strictObject({ drop: z.array(z.string()) }),
    })
    .optional(),
  volumeMounts: z
    .array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .optional(),
})

const volume = z.strictObject({
  name: z.string(),
  configMap: z.strictObject({ name: z.string() }).optional(),
  emptyDir: z.strictObject({ sizeLimit: memory }).optional(),
})

const pod = z.strictObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  terminationGracePeriodSeconds: z.int().optional(),
  securityContext: z
    .strictObject({
      runAsNonRoot: z.boolean(),
      runAsUser: z.int(),
      runAsGroup: z.int(),
      fsGroup: z.int(),
      seccompProfile: z.strictObject({ type: z.enum(['RuntimeDefault']) }),
    })
    .optional(),
  topologySpreadConstraints: z
    .array(
      z.strictObject({
        maxSkew: z.int().min(1),
        topologyKey: z.string(),
        whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
        labelSelector: matchLabels,
      }),
    )
    .optional(),
  containers: z.array(container).min(1),
  volumes: z.array(volume).optional(),
})

const deployment = z.strictObject({
  replicas: z.int().optional(),
  revisionHistoryLimit: z.int().optional(),
  minReadySeconds: z.int().optional(),
  progressDeadlineSeconds: z.int().optional(),
  strategy: z
    .strictObject({
      type: z.enum(['RollingUpdate']),
      rollingUpdate: z.strictObject({ maxSurge: port, maxUnavailable: port }),
    })
    .optional(),
  selector: matchLabels,
  template: z.strictObject({
    metadata: z.strictObject({ labels, annotations: labels.optional() }),
    spec: pod,
  }),
})

const peers = z.array(
  z.strictObject({
    namespaceSelector: z.strictObject({ matchLabels: labels.optional() }).optional(),
    podSelector: matchLabels.optional(),
    ipBlock: z.strictObject({ cidr: z.cidrv4(), except: z.array(z.cidrv4()) }).optional(),
  }),
)
const policyPorts = z.array(z.strictObject({ protocol, port })).optional()

/** What every object has. */
export const anObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata })
export type KubernetesObject = z.infer<typeof anObject>
export type Container = z.infer<typeof container>
export type Deployment = {
  readonly metadata: z.infer<typeof metadata>
  readonly spec: z.infer<typeof deployment>
}

/** The kinds by their names. */
export const kinds = {
  Namespace: kind('v1', {}),
  ServiceAccount: kind('v1', { automountServiceAccountToken: z.boolean() }),
  ConfigMap: kind('v1', { data: labels }),
  Secret: kind('v1', { data: labels, type: z.literal('Opaque') }),
  Service: kind('v1', {
    spec: z.strictObject({
      selector: labels,
      ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: port })),
    }),
  }),
  Deployment: kind('apps/v1', { spec: deployment }),
  HorizontalPodAutoscaler: kind('autoscaling/v2', {
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(2),
      metrics: z.array(
        z.strictObject({
          type: z.literal('Resource'),
          resource: z.strictObject({
            name: z.literal('cpu'),
            target: z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int().max(100) }),
          }),
        }),
      ),
      behavior: z.strictObject({
        scaleDown: z.strictObject({
          stabilizationWindowSeconds: z.int().max(3600),
          policies: z.array(
            z.strictObject({
              type: z.enum(['Pods', 'Percent']),
              value: z.int(),
              periodSeconds: z.int().max(1800),
            }),
          ),
        }),
      }),
    }),
  }),
  PodDisruptionBudget: kind('policy/v1', {
    spec: z.strictObject({ selector: matchLabels, maxUnavailable: port }),
  }),
  NetworkPolicy: kind('networking.k8s.io/v1', {
    spec: z.strictObject({
      podSelector: matchLabels,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
      ingress: z.array(z.strictObject({ from: peers, ports: policyPorts })),
      egress: z.array(z.strictObject({ to: peers, ports: policyPorts })),
    }),
  }),
  ServiceMonitor: kind('monitoring.coreos.com/v1', {
    spec: z.strictObject({
      selector: matchLabels,
      endpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: z.string() })),
    }),
  }),
}

function kind(apiVersion: string, fields: z.ZodRawShape): { apiVersion: string; shape: z.ZodType } {
  return {
    apiVersion,
    shape: z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.string(), metadata, ...fields }),
  }
}
