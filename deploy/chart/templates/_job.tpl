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
  {{- include "vlens-archiver.pod" (dict
    "root" .root
    "component" .component
    "restartPolicy" "Never"
    "args" .args
    "configMap" .configMap
    "secrets" .secrets
    "serviceAccount" .serviceAccount
  ) | trim | nindent 2 }}
{{- end -}}

{{- /*
Arguments: command, job (values with maxDuration and args). A schedule names its
runs after its ticks, all others have the name of their Job.
*/ -}}
{{- define "vlens-archiver.runArgs" -}}
{{- $args := list "--config=/etc/vlens-archiver/config.yaml" .command "--log-format=json" -}}
{{- if ne .command "schedule" -}}
{{- $args = append $args "--run-id=$(JOB_NAME)" -}}
{{- end -}}
{{- $args = append $args "--worker=$(POD_NAME)" -}}
{{- with .job.maxDuration -}}
{{- $args = append $args (printf "--max-duration=%s" .) -}}
{{- end -}}
{{- toYaml (concat $args .job.args) -}}
{{- end -}}
