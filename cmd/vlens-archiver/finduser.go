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
	kind, normal := worker.ByPhone, func(u store.User) store.Sensitive { return worker.Phone(u.Phone, cfg.Source.PhoneRegion) }
	wanted := worker.Phone(given, cfg.Source.PhoneRegion)
	if strings.Contains(given.Reveal(), "@") {
		kind, normal = worker.ByEmail, func(u store.User) store.Sensitive { return worker.Email(u.Email) }
		wanted = worker.Email(given)
	}
	if wanted == "" {
		return "", usage(cmd, "stdin: it is neither an email nor a phone number; a local number is read as one of "+cfg.Source.PhoneRegion)
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
	ids, err := source.Search(ctx, func(u store.User) bool { return normal(u) == wanted }, 2)
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
		if line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff")); line != "" {
			return store.Sensitive(line), nil
		}
	}
	if lines.Err() != nil {
		return "", fmt.Errorf("stdin: expected one line with an email or a phone, at most %d bytes", longestIdentifier)
	}
	return "", errors.New("stdin: it is empty; give --user ID, or an email or phone on stdin")
}
