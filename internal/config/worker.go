package config

import (
	"fmt"
	"time"
)

// Worker bounds what one process does at a time.
type Worker struct {
	// Concurrency is the number of images in flight, 1 to 1024. Default 16.
	Concurrency int `yaml:"concurrency"`
	// Memory bounds the bytes of bodies and decoded images held at once. It
	// must fit one image of vlens.max_image_bytes. Default 256MiB.
	Memory ByteSize `yaml:"memory"`
	// RecheckAfter is the time after which an archived user is listed again;
	// 0 means only when the user's row changes. Default 2160h, 90 days.
	RecheckAfter time.Duration `yaml:"recheck_after"`
	// Attempts is the number of tries per request, 1 to 20. Default 4.
	Attempts int `yaml:"attempts"`
}

func (c checker) worker(w *Worker, maxImage ByteSize) {
	c.between("worker.concurrency", w.Concurrency, 1, 1024)
	c.between("worker.attempts", w.Attempts, 1, 20)
	c.expect(w.RecheckAfter == 0 || w.RecheckAfter >= time.Hour, "worker.recheck_after", "expected 0 or at least 1h")
	if !c.found.has("vlens.max_image_bytes") {
		least := memoryForOneImage(maxImage)
		c.expect(w.Memory >= least, "worker.memory", fmt.Sprintf("expected at least %s, which one image of vlens.max_image_bytes needs", least))
	}
}

// memoryForOneImage is the image and its base64 text, which is 4/3 of it, with
// 1 MiB for the rest of the body; rounded up to a KiB so that it reads well.
func memoryForOneImage(maxImage ByteSize) ByteSize {
	bytes := (maxImage*7+2)/3 + MiB
	return (bytes + KiB - 1) / KiB * KiB
}
