package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// resource names an instance by OpenTelemetry's conventions for services: this
// process, or the archive, whose series whichever process reads the ledger
// continues. A collector makes the labels job and instance of it.
func (t *Telemetry) resource(instance string) *resource.Resource {
	return resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName(scope),
		semconv.ServiceNamespace(t.config.Archive),
		semconv.ServiceInstanceID(instance),
		semconv.ServiceVersion(t.config.Tool.Version),
		attribute.String("vlens_archiver.commit", t.config.Tool.Commit),
	)
}
