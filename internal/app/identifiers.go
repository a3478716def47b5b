package app

import (
	"vlens-archiver/internal/config"
	"vlens-archiver/worker"
)

// Identifiers are those by which the vendor is asked for users, in their order.
func Identifiers(cfg *config.Config) []worker.Identifier {
	identifiers := make([]worker.Identifier, len(cfg.Source.Identifiers))
	for n, name := range cfg.Source.Identifiers {
		identifiers[n] = worker.Identifier(name)
	}
	return identifiers
}
