package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
)

// run archives all users, then verifies what the largest run archived.
func (b *bench) run(ctx context.Context, s *site.Site, users int) error {
	p, err := b.settle(ctx, s, users)
	if err != nil {
		return err
	}
	first, err := p.step(ctx, figures.StepRun, "run")
	if err != nil {
		return err
	}
	if first.Archived != users || first.Requests < 7*users {
		return fmt.Errorf("%d users were archived with %d requests", first.Archived, first.Requests)
	}
	if users*b.scale < b.largest {
		return nil
	}
	if !b.canVerify(ctx) {
		fmt.Fprintln(os.Stderr, "this build of the program has no verify; it is left out")
		return nil
	}
	_, err = p.step(ctx, figures.StepVerify, "verify")
	return err
}

func (b *bench) canVerify(ctx context.Context) bool {
	said, err := exec.CommandContext(ctx, b.program, "verify", "--help").Output()
	return err == nil && bytes.Contains(said, []byte("vlens-archiver verify"))
}

// million goes through the life of an archive of a million users: the plan, the
// first run, and then the runs that most nights see.
func (b *bench) million(ctx context.Context, s *site.Site) error {
	p, err := b.settle(ctx, s, million/b.scale)
	if err != nil {
		return err
	}
	if err := p.copyOut(ctx); err != nil {
		return err
	}
	if _, err := p.step(ctx, figures.StepPlanNew, "plan"); err != nil {
		return err
	}
	first, err := p.step(ctx, figures.StepFirst, "run", "--limit", strconv.Itoa(firstUsers/b.scale))
	if err != nil {
		return err
	}
	if first.Archived != firstUsers/b.scale {
		return fmt.Errorf("the first run archived %d users, not %d", first.Archived, firstUsers/b.scale)
	}

	// The other users are put into the state in which a month of runs would have
	// left them.
	err = p.execute(ctx, ledger,
		`UPDATE archive.subjects SET state = 'archived', due_reason = 'recheck', archived_at = now(),
		        next_due_at = now() + interval '90 days' WHERE state = 'pending'`,
		`VACUUM ANALYZE archive.subjects`)
	if err != nil {
		return err
	}
	idle, err := p.step(ctx, figures.StepNoop, "run")
	if err != nil {
		return err
	}
	if idle.Requests != 0 {
		return fmt.Errorf("a run with nothing to do made %d requests", idle.Requests)
	}
	if _, err := p.step(ctx, figures.StepPlanNoop, "plan"); err != nil {
		return err
	}

	err = p.execute(ctx, source, fmt.Sprintf(
		`UPDATE users SET verified_at = verified_at + interval '1 day'
		 WHERE id IN (SELECT id FROM users ORDER BY verified_at LIMIT %d)`, changedRows/b.scale))
	if err != nil {
		return err
	}
	changed, err := p.step(ctx, figures.StepChanged, "run")
	if err == nil && changed.Archived != changedRows/b.scale {
		err = fmt.Errorf("%d users were worked on after %d rows changed", changed.Archived, changedRows/b.scale)
	}
	return err
}

// copyOut is the yardstick for a sync: the same rows by COPY to a file. The
// better of two counts.
func (p *place) copyOut(ctx context.Context) error {
	g := figures.Growth{Step: figures.StepCopy, Users: p.users, Setting: p.site.Setting(ctx, p.version, p.build)}
	for range 2 {
		seconds, err := p.copyOnce(ctx)
		if err != nil {
			return fmt.Errorf("copy the users to a file: %w", err)
		}
		if g.Seconds == 0 || seconds < g.Seconds {
			g.Seconds = seconds
		}
	}
	return p.keep(g)
}

func (p *place) copyOnce(ctx context.Context) (float64, error) {
	db, err := pgx.Connect(ctx, p.site.Postgres.URL(source))
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	file, err := os.Create(filepath.Join(p.site.Dir, "users.copy"))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	_, err = db.PgConn().CopyTo(ctx, file, `COPY (SELECT id, email, phone, transaction_id, verified_at FROM users) TO STDOUT`)
	err = errors.Join(err, file.Close())
	return time.Since(began).Seconds(), err
}

func (p *place) execute(ctx context.Context, database string, statements ...string) error {
	db, err := pgx.Connect(ctx, p.site.Postgres.URL(database))
	if err != nil {
		return fmt.Errorf("prepare database %q: %w", database, err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range statements {
		if _, err := db.Exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare database %q: %w", database, err)
		}
	}
	return nil
}
