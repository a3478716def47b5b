{{- /*
The pod of every workload. Arguments: root, component, restartPolicy, args,
configMap, secrets, serviceAccount, probes (fields of the container, optional).
*/ -}}
{{- define "vlens-archiver.pod" -}}
{{- $values := .root.Values -}}
metadata:
  labels:
    {{- $labels := include "vlens-archiver.labels" .root | fromYaml }}
    {{- $_ := set $labels "app.kubernetes.io/component" .component }}
    {{- toYaml (merge $labels $values.podLabels) | nindent 4 }}
  {{- $annotations := $values.podAnnotations }}
  {{- if eq .restartPolicy "Always" }}
  {{- $annotations = merge (dict "checksum/config" (include "vlens-archiver.config" .root | sha256sum)) $annotations }}
  {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: {{ .restartPolicy }}
  {{- with .serviceAccount }}
  serviceAccountName: {{ . }}
  {{- end }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    # Mounted secrets and the projected token of a cloud role are readable by this group.
    fsGroup: 65532
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: vlens-archiver
      image: {{ include "vlens-archiver.image" .root }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        {{- toYaml .args | nindent 8 }}
      env:
        {{- if eq .restartPolicy "Never" }}
        - name: JOB_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.labels['batch.kubernetes.io/job-name']
        {{- end }}
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- with $values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- if or .secrets $values.extraEnvFrom }}
      envFrom:
        {{- range .secrets }}
        - secretRef:
            name: {{ . }}
        {{- end }}
        {{- with $values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      {{- with get . "probes" }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
      resources:
        {{- toYaml $values.resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/vlens-archiver
          readOnly: true
        - name: tmp
          mountPath: /tmp
        {{- if $values.secretFiles.secretName }}
        - name: secret-files
          mountPath: {{ $values.secretFiles.mountPath }}
          readOnly: true
        {{- end }}
        {{- with $values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ .configMap }}
    - name: tmp
      emptyDir:
        sizeLimit: {{ $values.tmp.sizeLimit }}
    {{- with $values.secretFiles.secretName }}
    - name: secret-files
      secret:
        secretName: {{ . }}
        defaultMode: 0440
    {{- end }}
    {{- with $values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
