{{- define "parley.replicated" -}}
{{- if ne .Values.form "single" }}true{{ end -}}
{{- end }}

{{- define "parley.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "parley.common" -}}
app.kubernetes.io/part-of: parley
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* A pod of Parley. Takes `root`, `component` (gateway or worker) and `role` (none: it does everything). */}}
{{- define "parley.pod" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    app.kubernetes.io/name: parley
    app.kubernetes.io/component: {{ .component }}
spec:
  serviceAccountName: parley
  automountServiceAccountToken: false
  # Kubernetes would set PARLEY_PORT=tcp://… for a Service named parley, and Parley would read it as its port.
  enableServiceLinks: false
  # Longer than the 5 s of preStop and the 30 s that running answers get to finish.
  terminationGracePeriodSeconds: 40
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  topologySpreadConstraints:
    {{- range tuple "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          app.kubernetes.io/name: parley
          app.kubernetes.io/component: {{ $.component }}
    {{- end }}
  containers:
    - name: parley
      image: {{ include "parley.image" .root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      ports:
        - name: http
          containerPort: 8080
        - name: metrics
          containerPort: 9090
      env:
        - name: PARLEY_CONFIG
          value: /etc/parley
        - name: PARLEY_PUBLIC_URL
          value: {{ printf "https://%s" $values.host | quote }}
        # Metrics and heartbeat on a port that the Ingress does not lead to.
        - name: PARLEY_METRICS_PORT
          value: "9090"
        {{- if include "parley.replicated" .root }}
        - name: REDIS_URL
          valueFrom:
            secretKeyRef:
              name: {{ $values.redis.existingSecret }}
              key: url
        {{- end }}
        {{- with .role }}
        - name: PARLEY_ROLE
          value: {{ . }}
        {{- end }}
      envFrom:
        - secretRef:
            name: {{ $values.existingSecret }}
      # A large database, or one that was not closed in order, is read through first: nobody kills it meanwhile.
      startupProbe:
        httpGet:
          path: /health
          port: http
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 60
      livenessProbe:
        httpGet:
          path: /health
          port: http
        initialDelaySeconds: 30
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      # What takes webhooks is asked whether it can: with a spool it can while Redis is away. A worker then cannot work.
      readinessProbe:
        httpGet:
          path: {{ eq .component "worker" | ternary "/ready" "/ready/webhooks" }}
          port: http
        initialDelaySeconds: 5
        periodSeconds: 5
        timeoutSeconds: 3
        successThreshold: 1
        failureThreshold: 3
      # With SIGTERM it stops to listen, and proxies hear only after a while that it goes: until then it goes on.
      lifecycle:
        preStop:
          exec:
            command: [/nodejs/bin/node, -e, "setTimeout(() => {}, 5_000)"]
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      volumeMounts:
        - name: data
          mountPath: /data
        - name: config
          mountPath: /etc/parley
          readOnly: true
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: config
      configMap:
        name: parley-config
        items:
          - key: gateway.yaml
            path: gateway.yaml
          - key: agents.yaml
            path: agents/agents.yaml
    - name: tmp
      emptyDir:
        sizeLimit: 64Mi
    {{- if eq .component "worker" }}
    # Nothing in it has to outlive the pod: a worker takes no webhooks, and hands back what it has in hand.
    - name: data
      emptyDir:
        sizeLimit: 1Gi
    {{- end }}
{{- end }}

{{- define "parley.claim" -}}
- metadata:
    name: data
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .size }}
{{- end }}
