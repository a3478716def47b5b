package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
	"vlens-archiver/store/postgres"
	"vlens-archiver/vlens/vlenstest"
	"vlens-archiver/worker"
)

// demo is one demonstration, from an empty folder to a checked one.
type demo struct {
	options
	stdout, stderr io.Writer

	folder   *os.Root
	services *services
	config   *config.Config
	layout   manifest.Layout
	log      *slog.Logger
}

// runs are the two runs of a demo.
type runs struct {
	first, second worker.Report
	firstTook     time.Duration
	// What the second run asked of Vlens: images, and anything at all.
	imageRequests, requests int
}

// demonstrate does everything, and leaves nothing running.
func demonstrate(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	d := &demo{options: o, stdout: stdout, stderr: stderr}
	if d.folder, err = openFolder(o.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.folder.Close()) }()
	if err := useDemoAccount(); err != nil {
		return err
	}

	d.say("Starting PostgreSQL, an S3 server and a simulated Vlens of %d people …", o.users)
	d.services, err = startServices(ctx, o.users)
	defer func() { err = errors.Join(err, d.services.stop()) }()
	if err != nil {
		return fmt.Errorf("start the services: %w", err)
	}
	log, err := d.folder.Create(logFile)
	if err != nil {
		return fmt.Errorf("make the log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	d.log = slog.New(slog.NewJSONHandler(log, nil))

	if err := d.prepare(ctx); err != nil {
		return err
	}
	done, err := d.archiveTwice(ctx)
	if err != nil {
		return err
	}
	if err := d.fillFolder(ctx, done); err != nil {
		return err
	}
	if err := d.report(ctx, done); err != nil {
		return err
	}
	if o.keep {
		d.say("%s", reachText(d.services, d.folder.Name()))
		<-ctx.Done()
	}
	return nil
}

// prepare does what comes before a company's first run: a table of users, a
// configuration, and the ledger's tables.
func (d *demo) prepare(ctx context.Context) error {
	users, err := fillCompany(ctx, d.services.postgres.URL(companyDatabase), d.services.tenant)
	if err != nil {
		return err
	}
	signingKey, err := manifest.GenerateSigningKey(origin)
	if err != nil {
		return err
	}
	text := []byte(configText(d.services, signingKey))
	if d.config, err = config.Parse(configFile, text, os.LookupEnv); err != nil {
		return err
	}
	d.layout = manifest.Layout{Prefix: d.config.Archive.Prefix}
	if err := errors.Join(d.folder.WriteFile(usersFile, users, 0o644), d.folder.WriteFile(configFile, text, 0o644)); err != nil {
		return fmt.Errorf("fill the folder: %w", err)
	}
	_, err = postgres.Migrate(ctx, d.config.Ledger.DatabaseURL, postgres.Up)
	return err
}

// archiveTwice archives everybody, and then finds nobody due.
func (d *demo) archiveTwice(ctx context.Context) (done runs, err error) {
	tenant := d.services.tenant
	began := time.Now()
	if done.first, err = d.archive(ctx, "demo-first"); err != nil {
		return done, err
	}
	done.firstTook = time.Since(began)

	images, all := tenant.Requests(vlenstest.Image), tenant.Requests()
	if done.second, err = d.archive(ctx, "demo-second"); err != nil {
		return done, err
	}
	done.imageRequests, done.requests = tenant.Requests(vlenstest.Image)-images, tenant.Requests()-all
	return done, nil
}

// report checks the folder and says what is in it.
func (d *demo) report(ctx context.Context, done runs) error {
	key, err := store.ParseSubjectKey(d.config.Archive.SubjectKey)
	if err != nil {
		return err
	}
	lines, err := readManifest(d.folder)
	if err != nil {
		return err
	}
	d.say("%s", runText(done, lines))
	c := check{folder: d.folder, tenant: d.services.tenant, key: key, layout: d.layout, lines: lines}
	if err := c.all(ctx, d.runFolder(done.first), d.runFolder(done.second)); err != nil {
		return err
	}
	if done.imageRequests > 0 || done.requests > 0 {
		return fmt.Errorf("the second run made %d requests, %d of them for images: nobody was due", done.requests, done.imageRequests)
	}
	verified, err := d.verify(ctx)
	if err != nil {
		return err
	}
	d.say("%s", checkedText(c.images, c.records, verified, d.folder.Name()))
	return nil
}

func (d *demo) runFolder(report worker.Report) string {
	return d.layout.Run(report.Totals.Run.StartedAt, report.Totals.Run.ID)
}

func (d *demo) say(format string, values ...any) {
	_, _ = fmt.Fprintf(d.stdout, format+"\n", values...) // the exit code says the same
}
