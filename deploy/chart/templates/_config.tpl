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
{{- toYaml .Values.config -}}
{{- end -}}
