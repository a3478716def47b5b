{{- /*
The spec of every Job. Arguments: root, component, key (of the values, for
messages), job (those values), args, configMap, secrets, serviceAccount.
*/ -}}
{{- define "vlens-archiver.jobSpec" -}}
{{- $values := .root.Values -}}
{{- $parallelism := int .job.parallelism -}}
{{- $indexed := gt $parallelism 1 -}}
{{- with include "vlens-archiver.activeDeadlineSeconds" (dict "key" .key "job" .job "grace" $values.terminationGracePeriodSeconds) }}
activeDeadlineSeconds: {{ . }}
{{- end }}
ttlSecondsAfterFinished: {{ int .job.ttlSecondsAfterFinished }}
parallelism: {{ $parallelism }}
completions: {{ $parallelism }}
{{- if $indexed }}
completionMode: Indexed
backoffLimitPerIndex: {{ int .job.retries }}
{{- else }}
backoffLimit: {{ int .job.retries }}
{{- end }}
podReplacementPolicy: Failed
podFailurePolicy:
  rules:
    # 3 some users failed, 4 usage or configuration, 5 credentials or permission,
    # 6 work left (only with --strict), 10 damage: another pod now would end the
    # same way and spend the vendor's quota. The next run tries again.
    {{- if $indexed }}
    # Only this index: the other pods of the run keep working.
    {{- end }}
    - action: {{ ternary "FailIndex" "FailJob" $indexed }}
      onExitCodes:
        containerName: vlens-archiver
        operator: In
        values: [3, 4, 5, 6, 10]
    # A drained or preempted pod says nothing about the program. All else counts as a retry.
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
template:
  metadata:
    labels:
      {{- $labels := include "vlens-archiver.labels" .root | fromYaml }}
      {{- $_ := set $labels "app.kubernetes.io/component" .component }}
      {{- toYaml (merge $labels $values.podLabels) | nindent 6 }}
    {{- with $values.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    restartPolicy: Never
    {{- with .serviceAccount }}
    serviceAccountName: {{ . }}
    {{- end }}
    automountServiceAccountToken: false
    enableServiceLinks: false
    terminationGracePeriodSeconds: {{ int $values.terminationGracePeriodSeconds }}
    {{- with $values.imagePullSecrets }}
    imagePullSecrets:
      {{- toYaml . | nindent 6 }}
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
          {{- toYaml .args | nindent 10 }}
        env:
          - name: JOB_NAME
            valueFrom:
              fieldRef:
                fieldPath: metadata.labels['batch.kubernetes.io/job-name']
          - name: POD_NAME
            valueFrom:
              fieldRef:
                fieldPath: metadata.name
          {{- with $values.extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        {{- if or .secrets $values.extraEnvFrom }}
        envFrom:
          {{- range .secrets }}
          - secretRef:
              name: {{ . }}
          {{- end }}
          {{- with $values.extraEnvFrom }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        {{- end }}
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop: [ALL]
        resources:
          {{- toYaml $values.resources | nindent 10 }}
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
          {{- toYaml . | nindent 10 }}
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
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $values.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.tolerations }}
    tolerations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $values.affinity }}
    affinity:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end -}}

{{- /* Arguments: command, job (values with maxDuration and args). */ -}}
{{- define "vlens-archiver.runArgs" -}}
{{- $args := list "--config=/etc/vlens-archiver/config.yaml" .command "--log-format=json" "--run-id=$(JOB_NAME)" "--worker=$(POD_NAME)" -}}
{{- with .job.maxDuration -}}
{{- $args = append $args (printf "--max-duration=%s" .) -}}
{{- end -}}
{{- toYaml (concat $args .job.args) -}}
{{- end -}}
