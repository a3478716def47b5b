{{- define "vlens-archiver.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /*
A CronJob adds 11 characters for its Jobs, whose names end at 63. They are ids of
runs, so the dots that a release may have in its name become hyphens.
*/ -}}
{{- define "vlens-archiver.fullname" -}}
{{- $name := include "vlens-archiver.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | replace "." "-" | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "vlens-archiver.backfillName" -}}
{{- $suffix := required "backfill.name is empty: it ends the Job's name, which is the run's id, so each backfill needs its own" .Values.backfill.name -}}
{{- $name := printf "%s-backfill-%s" (include "vlens-archiver.fullname" .) $suffix -}}
{{- if gt (len $name) 63 -}}
{{- fail (printf "the backfill Job's name %s has %d characters, more than 63: shorten backfill.name" $name (len $name)) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "vlens-archiver.migrateConfigMap" -}}
{{- $name := include "vlens-archiver.fullname" . -}}
{{- ternary (printf "%s-migrate" $name) $name .Values.migrate.hook -}}
{{- end -}}

{{- define "vlens-archiver.serviceAccount" -}}
{{- $fallback := ternary (include "vlens-archiver.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $fallback .Values.serviceAccount.name -}}
{{- end -}}

{{- define "vlens-archiver.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "vlens-archiver.selectorLabels" -}}
app.kubernetes.io/name: {{ include "vlens-archiver.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "vlens-archiver.labels" -}}
{{ include "vlens-archiver.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}
