package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// The resources, by OpenTelemetry's conventions for services. A collector makes
// the labels job and instance of them.

// processResource names this process.
func (t *Telemetry) processResource() *resource.Resource {
	return t.resource(t.config.Process)
}

// archiveResource names the archive. Whichever process reads the ledger continues
// the same series.
func (t *Telemetry) archiveResource() *resource.Resource {
	return t.resource("archive")
}

func (t *Telemetry) resource(instance string) *resource.Resource {
	return resource.NewWithAttributes(semconv.SchemaURL,
		semconv.ServiceName(scope),
		semconv.ServiceNamespace(t.config.Archive),
		semconv.ServiceInstanceID(instance),
		semconv.ServiceVersion(t.config.Tool.Version),
		attribute.String("vlens_archiver.commit", t.config.Tool.Commit),
	)
}
