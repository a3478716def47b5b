{{- /* The message names the key only: output of Helm ends up in build logs. */ -}}
{{- define "vlens-archiver.config" -}}
{{- range list "source.database_url" "ledger.database_url" "vlens.api_key" "vlens.username" "vlens.password" "archive.subject_key" "evidence.signing_key" "notify.heartbeat_url" "notify.webhook_url" -}}
{{- $value := $.Values.config -}}
{{- range splitList "." . -}}
{{- $value = get (default dict $value) . -}}
{{- end -}}
{{- if and $value (not (regexMatch "^\\$\\{[^}]+\\}$" (toString $value))) -}}
{{- fail (printf "config.%s is a secret and must be ${NAME} or ${file:/path}: a ConfigMap is readable by many" .) -}}
{{- end -}}
{{- end -}}
{{- if hasKey .Values.config "schedule" -}}
{{- fail "config.schedule comes from run.schedule and run.timeZone: set those" -}}
{{- end -}}
{{- $telemetry := merge (dict) (default dict (get .Values.config "telemetry")) (dict "health_listen" ":8080") -}}
{{- $schedule := dict "cron" .Values.run.schedule "timezone" .Values.run.timeZone -}}
{{- toYaml (merge (dict "telemetry" $telemetry "schedule" $schedule) .Values.config) -}}
{{- end -}}

{{- /* Port and probes of a pod that stays up. */ -}}
{{- define "vlens-archiver.probes" -}}
{{- $listen := default ":8080" (get (default dict (get .Values.config "telemetry")) "health_listen") -}}
{{- $port := regexFind "[0-9]+$" (toString $listen) -}}
{{- if or (not $port) (hasPrefix "$" $listen) -}}
{{- fail "config.telemetry.health_listen must end in a port: the probes of the schedule ask there" -}}
{{- end -}}
ports:
  - name: health
    containerPort: {{ $port }}
# The ledger being away is no reason for a restart: only readiness asks it.
livenessProbe:
  httpGet:
    path: /livez
    port: health
  initialDelaySeconds: 15
  periodSeconds: 20
  timeoutSeconds: 2
readinessProbe:
  httpGet:
    path: /readyz
    port: health
  periodSeconds: 15
  timeoutSeconds: 2
{{- end -}}
