package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vlens-archiver/store"
)

// everyClass is the value of --failed without a class. It is no class itself.
const everyClass = "any"

// choice is the selection of a backfill, as its flags give it.
type choice struct {
	users     []string
	usersFile string
	since     string
	until     string
	failed    string
	force     bool
	perMinute int
}

func (p *program) backfillCommand() *cobra.Command {
	var f runFlags
	var c choice
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Archive a selection of users, due or not",
		Long: `A run over chosen users: by id, or by the time of their verification, or those
who failed. Filters together choose the users who meet all of them; user ids do
not go together with filters.`,
		Example: `  vlens-archiver backfill --failed=too_large
  vlens-archiver backfill --since 2026-01-01 --until 2026-02-01 --per-minute 20 --dry-run
  psql -Atc 'SELECT id FROM users WHERE branch = 7' | vlens-archiver backfill --users-file -`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			selection, err := c.selection(p)
			if err != nil {
				return usage(cmd, err.Error())
			}
			return p.startRun(f, store.RunBackfill, selection)
		},
	}
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&c.users, "user", nil, "user `ID`; may be repeated")
	flags.StringVar(&c.usersFile, "users-file", "", "`FILE` with a user id a line, - for stdin")
	flags.StringVar(&c.since, "since", "", "verified at or after this `TIME`: RFC 3339, or a date, which is midnight UTC")
	flags.StringVar(&c.until, "until", "", "verified before this `TIME`")
	flags.StringVar(&c.failed, "failed", "", "failed or partial users, all or those of a `CLASS`")
	flags.Lookup("failed").NoOptDefVal = everyClass
	flags.BoolVar(&c.force, "force", false, "fetch again even what is archived; this spends the quota a second time")
	flags.IntVar(&c.perMinute, "per-minute", 0, "at most `N` requests a minute for the whole run; 0 is the quota")
	return cmd
}

// selection checks the flags and reads the list of ids. Its errors are problems
// of the command line.
func (c choice) selection(p *program) (store.Selection, error) {
	selection := store.Selection{Force: c.force, PerMinute: c.perMinute}
	if c.perMinute < 0 {
		return selection, errors.New("--per-minute: expected 0 or more")
	}
	if err := c.filter(&selection); err != nil {
		return selection, err
	}
	ids, err := c.ids(p)
	if err != nil {
		return selection, err
	}
	filtered := c.failed != "" || c.since != "" || c.until != ""
	switch {
	case len(ids) > 0 && filtered:
		return selection, errors.New("--user and --users-file do not go together with --failed, --since or --until")
	case len(ids) == 0 && !filtered:
		return selection, errors.New("choose users with --user, --users-file, --failed, --since or --until")
	}
	selection.UserIDs = ids
	return selection, nil
}

func (c choice) filter(selection *store.Selection) error {
	var err error
	if selection.Since, err = parseTime("--since", c.since); err != nil {
		return err
	}
	if selection.Until, err = parseTime("--until", c.until); err != nil {
		return err
	}
	if c.since != "" && c.until != "" && !selection.Since.Before(selection.Until) {
		return errors.New("--since must be before --until")
	}
	if c.failed == "" {
		return nil
	}
	selection.Failed = true
	if c.failed != everyClass {
		selection.FailedClass = store.Class(c.failed)
		if _, known := selection.FailedClass.Info(); !known {
			return fmt.Errorf("--failed=%s: no such class; expected one of %s", c.failed, classNames())
		}
	}
	return nil
}

// ids are the users chosen one by one, each once, in the order given.
func (c choice) ids(p *program) ([]string, error) {
	ids := slices.Clone(c.users)
	if slices.Contains(ids, "") {
		return nil, errors.New("--user: an id is empty")
	}
	if c.usersFile != "" {
		listed, err := p.readIDs(c.usersFile)
		if err != nil {
			return nil, err
		}
		ids = append(ids, listed...)
	}
	return ids, nil
}

func classNames() string {
	names := make([]string, 0, len(store.Classes))
	for _, info := range store.Classes {
		names = append(names, string(info.Class))
	}
	return strings.Join(names, ", ")
}
