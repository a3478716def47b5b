package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
	"vlens-archiver/internal/testservices/s3server"
)

// place is one archive of a tenant with so many people.
type place struct {
	*bench
	site   *site.Site
	tenant *site.Tenant
	users  int
	config string
}

func (b *bench) settle(ctx context.Context, s *site.Site, users int) (*place, error) {
	p := &place{bench: b, site: s, users: users}
	if err := s.FillUsers(ctx, source, users); err != nil {
		return nil, err
	}
	if err := s.S3.CreateBucket(ctx, ledger, s3server.Versioned); err != nil {
		return nil, err
	}
	var err error
	if p.tenant, err = s.StartTenant(ctx, site.TenantOptions{People: users, ImageBytes: imageBytes}); err != nil {
		return nil, err
	}
	p.config, err = s.Configure(ctx, b.program, site.Archive{
		Name: ledger, Source: source, BaseURL: p.tenant.BaseURL, Bucket: ledger, Concurrency: inFlight,
	})
	return p, err
}

// step runs a command of the program, measures it and keeps the result.
func (p *place) step(ctx context.Context, name string, args ...string) (figures.Growth, error) {
	g := figures.Growth{Step: name, Users: p.users, Setting: p.site.Setting(ctx, p.version, p.build)}
	requestsBefore, err := p.tenant.Requests(ctx)
	if err != nil {
		return g, err
	}
	workBefore, err := p.site.Work(ctx, ledger)
	if err != nil {
		return g, err
	}
	began := time.Now()
	g.Usage, err = p.site.Measure(ctx, name, nil, p.program, append([]string{"--config", p.config, "--log-format", "json"}, args...)...)
	if err != nil {
		return g, err
	}
	work, err := p.site.Work(ctx, ledger)
	if err != nil {
		return g, err
	}
	requests, err := p.tenant.Requests(ctx)
	if err != nil {
		return g, err
	}
	g.Database, g.Requests = work.Minus(workBefore), requests-requestsBefore
	events, err := readEvents(filepath.Join(p.site.Dir, name+".log"))
	if err != nil {
		return g, err
	}
	g.Archived = events.done
	if !events.synced.IsZero() {
		g.SyncSeconds = events.synced.Sub(began).Seconds()
	}
	return g, p.keep(g)
}

// events is what the log of a run tells.
type events struct {
	synced time.Time
	done   int // users
}

func readEvents(name string) (events, error) {
	var found events
	file, err := os.Open(name)
	if err != nil {
		return found, fmt.Errorf("read the log: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var line struct {
			Time  time.Time `json:"time"`
			Event string    `json:"event"`
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // what a command prints for people
		}
		switch line.Event {
		case "users_synced":
			found.synced = line.Time
		case "user_done":
			found.done++
		}
	}
	if err := lines.Err(); err != nil {
		return found, fmt.Errorf("read the log: %w", err)
	}
	return found, nil
}
