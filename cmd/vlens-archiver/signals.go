package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"vlens-archiver/worker"
)

// errStoppedAtOnce is the error of a run whose users in flight were dropped.
var errStoppedAtOnce = errors.New("stopped at once by a second signal: users in flight are dropped, a later run finds what they have stored")

// stopSignal is a stop asked for by a signal.
type stopSignal struct{ signal syscall.Signal }

// Error names the signal.
func (s stopSignal) Error() string { return "stopped by " + unix.SignalName(s.signal) }

// Unwrap makes it a worker.ErrSignal.
func (stopSignal) Unwrap() error { return worker.ErrSignal }

// abandonedBy is a stop of a command that keeps nothing of its unfinished work.
type abandonedBy struct{ stopSignal }

// Unwrap is the stop itself.
func (a abandonedBy) Unwrap() error { return a.stopSignal }

// watchSignals gives two contexts. The first SIGINT or SIGTERM ends admit: no
// new work is begun. The second ends ctx: everything stops. The function stops
// watching and waits.
func watchSignals(parent context.Context) (ctx, admit context.Context, release func()) {
	ctx, stop := context.WithCancelCause(parent)
	admit, stopAdmitting := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case first := <-signals:
			stopAdmitting(stopSignal{first.(syscall.Signal)})
		case <-ctx.Done():
			return
		}
		select {
		case <-signals:
			stop(errStoppedAtOnce)
		case <-ctx.Done():
		}
	}()
	return ctx, admit, func() {
		signal.Stop(signals)
		stop(nil)
		<-ended
	}
}
