package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// longestIdentifier bounds an email or phone on stdin, in bytes.
const longestIdentifier = 1 << 10

// findUser reads an email or a phone from stdin and returns the id of the one
// user of the source who has it. Both are compared in the form that the worker
// sends to Vlens, and appear in no error.
func (p *program) findUser(ctx context.Context, cmd *cobra.Command, cfg *config.Config) (string, error) {
	if isTerminal(p.stdin) {
		_, _ = fmt.Fprint(p.stderr, "email or phone of the user: ")
	}
	given, err := readIdentifier(p.stdin)
	if err != nil {
		return "", usage(cmd, err.Error())
	}
	kind, user := worker.ByPhone, store.User{Phone: given}
	if strings.Contains(given.Reveal(), "@") {
		kind, user = worker.ByEmail, store.User{Email: given}
	}
	wanted, flaw := kind.Of(user, cfg.Source.PhoneRegion)
	if flaw != "" {
		return "", usage(cmd, fmt.Sprintf("stdin: it is neither an email nor a phone number: read as %s, it %s; a local number is read as one of %s", kind, flaw, cfg.Source.PhoneRegion))
	}

	source, err := app.OpenSource(ctx, cfg)
	if err != nil {
		return "", err
	}
	defer source.Close()
	columns, err := source.Describe(ctx)
	if err != nil {
		return "", err
	}
	if kind == worker.ByEmail && !columns.Email || kind == worker.ByPhone && !columns.Phone {
		return "", usage(cmd, fmt.Sprintf("stdin: source.users_sql has no column %s to look it up in; use --user", kind))
	}
	ids, err := source.Search(ctx, func(u store.User) bool {
		has, flaw := kind.Of(u, cfg.Source.PhoneRegion)
		return flaw == "" && has == wanted
	}, 2)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", usage(cmd, fmt.Sprintf("stdin: the source has no user with this %s; use --user", kind))
	case len(ids) > 1:
		return "", usage(cmd, fmt.Sprintf("stdin: several users of the source have this %s; name one with --user", kind))
	}
	return ids[0], nil
}

// readIdentifier reads the first line of stdin that is not blank. A person at a
// terminal need not end the input.
func readIdentifier(in io.Reader) (store.Sensitive, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestIdentifier)
	for lines.Scan() {
		if line := lines.Text(); worker.Typed(line) != "" {
			return store.Sensitive(line), nil
		}
	}
	if lines.Err() != nil {
		return "", fmt.Errorf("stdin: expected one line with an email or a phone, at most %d bytes", longestIdentifier)
	}
	return "", errors.New("stdin: it is empty; give --user ID, or an email or phone on stdin")
}
