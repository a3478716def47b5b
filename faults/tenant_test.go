package faults_test

import "vlens-archiver/vlens/vlenstest"

// tenantOf is a tenant with that many people and small images.
func tenantOf(people int) vlenstest.Options {
	return vlenstest.Options{People: people, Seed: seed, ImageBytes: 4 << 10}
}
