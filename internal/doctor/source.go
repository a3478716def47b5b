package doctor

import (
	"context"

	"vlens-archiver/internal/app"
)

const adviseReadOnly = "give source.database_url a role with SELECT on what source.users_sql reads, and nothing else"

const sourceServer = "source.server"

func sourceChecks() []check {
	connect := func(e *examination, ctx context.Context) (database, error) {
		source, err := app.OpenSource(ctx, e.cfg)
		if err == nil {
			e.source = source
		}
		return source, err
	}
	common := databaseChecks("source", connect, func(e *examination) database { return e.source })
	return append(common, check{
		name: "source.read_only", tried: "count the tables that the role could change",
		remedies: []string{adviseReadOnly}, needs: []string{sourceServer},
		run: (*examination).countWritable,
	})
}

func (e *examination) countWritable(ctx context.Context) finding {
	tables, err := e.source.Writable(ctx)
	if err != nil {
		return unsure(adviseReadOnly, err)
	}
	if tables > 0 {
		return warn(adviseReadOnly, "the role could change %d tables; the program never does", tables).with("writable_tables", tables)
	}
	return ok("the role can change no table").with("writable_tables", tables)
}
