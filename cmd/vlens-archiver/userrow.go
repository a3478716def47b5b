package main

import (
	"context"
	"time"

	"vlens-archiver/internal/app"
	"vlens-archiver/internal/config"
	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// rowTimeout bounds the look into the source, which status can do without.
const rowTimeout = 10 * time.Second

// rowOf says what keeps Vlens from being asked for a user without a usable phone
// or email, as the user's row is now and without what it holds. It is "" for
// anybody else, and when the source does not tell: status works without it.
func rowOf(ctx context.Context, cfg *config.Config, userID string, user store.UserStatus) string {
	if user.LastClass != store.ClassNoIdentifier {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, rowTimeout)
	defer cancel()
	source, err := app.OpenSource(ctx, cfg)
	if err != nil {
		return ""
	}
	defer source.Close()
	users, err := source.Lookup(ctx, []string{userID})
	if err != nil {
		return ""
	}
	row, there := users[userID]
	if !there {
		return "source.users_sql has no such row now"
	}
	return worker.WhyUnusable(row, app.Identifiers(cfg), cfg.Source.PhoneRegion)
}
