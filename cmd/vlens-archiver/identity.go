package main

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"vlens-archiver/store"
)

// newRunID names a run after its kind and start, with a random end for two that
// start in the same second: manual-20261123t220000z-ab12.
func newRunID(kind store.RunKind, now time.Time) string {
	var end [2]byte
	_, _ = rand.Read(end[:]) // never fails
	return string(kind) + "-" + strings.ToLower(now.UTC().Format("20060102T150405Z")) + "-" + hex.EncodeToString(end[:])
}

// workerName is the name of the pod or host that this process runs on.
func workerName(given string, env func(string) (string, bool)) string {
	fromEnv, _ := env("HOSTNAME")
	host, _ := os.Hostname() // one that has no name still works
	return cmp.Or(given, fromEnv, host, "unnamed")
}

// actor is who runs the program, for the access log: account and host.
func actor() string {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if account, err := user.Current(); err == nil && account.Username != "" {
		name = account.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
