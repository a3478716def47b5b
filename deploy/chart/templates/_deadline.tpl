{{- define "vlens-archiver.seconds" -}}
{{- $hours := regexFind "[0-9]+h" . | trimSuffix "h" | int -}}
{{- $minutes := regexFind "[0-9]+m" . | trimSuffix "m" | int -}}
{{- $seconds := regexFind "[0-9]+s" . | trimSuffix "s" | int -}}
{{- add (mul $hours 3600) (mul $minutes 60) $seconds -}}
{{- end -}}

{{- /*
activeDeadlineSeconds of a Job, or nothing for one without a time-box. Arguments:
key (of the values, for messages), job (those values), grace (seconds).
*/ -}}
{{- define "vlens-archiver.activeDeadlineSeconds" -}}
{{- $deadline := int (get .job "activeDeadlineSeconds" | default 0) -}}
{{- if .job.maxDuration -}}
{{- $box := int (include "vlens-archiver.seconds" .job.maxDuration) -}}
{{- $needed := add $box .grace -}}
{{- if and $deadline (le $deadline (int $needed)) -}}
{{- fail (printf "%s.activeDeadlineSeconds (%d) must be above %s.maxDuration (%s) plus terminationGracePeriodSeconds (%d), together %d: Kubernetes would stop the program before its own time-box does" .key $deadline .key .job.maxDuration (int .grace) $needed) -}}
{{- end -}}
{{- default (add $needed 900) $deadline -}}
{{- else if $deadline -}}
{{- $deadline -}}
{{- end -}}
{{- end -}}
