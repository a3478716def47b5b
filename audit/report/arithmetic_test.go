package report_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"vlens-archiver/audit/report"
)

// arithmetic works out each figure of a report anew, one at a time, with plain
// queries on the tables. From the report it takes the moment, the period and the
// step only.
type arithmetic struct {
	*history
	*testing.T
	page    report.Page
	run     string
	bounded bool // the period has an end before now
}

const stamp = `YYYY-MM-DD"T"HH24:MI:SS.US`

// value is the figure with this name, in the form the page has it.
func (a arithmetic) value(figure string) string {
	a.Helper()
	first, rest, _ := strings.Cut(figure, ".")
	switch first {
	case "made_at":
		return a.page.MadeAt.Format(time.RFC3339Nano)
	case "since", "until":
		return a.bound(first)
	case "step_seconds":
		return strconv.FormatInt(a.page.StepSeconds, 10)
	case "schema_version":
		return a.text(`SELECT max(version_id)::text FROM archive.goose_db_version WHERE is_applied`)
	case "config":
		return strconv.Itoa(60 * perMinute)
	case "run":
		return a.ofRun(rest)
	case "point", "bar":
		return a.ofPoint(rest)
	case "verification":
		return a.ofVerification(rest)
	case "failure":
		return a.ofFailure(rest)
	}
	if sql := a.sql(first, rest); sql != "" {
		return a.whole(sql)
	}
	a.Errorf("the test knows no query for the figure %q", figure)
	return ""
}

// whole is the value of a query of the form of the page.
func (a arithmetic) whole(sql string) string {
	value := a.text(`SELECT (` + a.fill(sql) + `)::text`)
	if at, err := time.Parse("2006-01-02T15:04:05.999999", value); err == nil {
		return at.Format(time.RFC3339Nano)
	}
	return value
}

// fill puts the conditions of the scope and the moment of the report into a query.
func (a arithmetic) fill(sql string) string {
	quoted := func(t time.Time) string { return "timestamptz '" + t.Format(time.RFC3339Nano) + "'" }
	ofRun := func(time string) string {
		if a.run != "" {
			return `run_id = '` + a.run + `'`
		}
		return a.within(time)
	}
	return strings.NewReplacer(
		"{outcomes}", `archive.outcomes WHERE `+ofRun("ended_at"),
		"{runs}", `archive.runs WHERE `+ofRun("started_at"),
		"{processes}", `archive.processes WHERE `+ofRun("started_at"),
		"{images}", `archive.images WHERE state = 'stored' AND `+ofRun("fetched_at"),
		"{stored}", `archive.images WHERE state = 'stored' AND `+a.before("fetched_at"),
		"{verifications}", `archive.verifications WHERE `+a.within("ended_at"),
		"{now}", quoted(a.page.MadeAt),
	).Replace(sql)
}

func (a arithmetic) before(column string) string {
	if !a.bounded {
		return `true`
	}
	return column + ` < '` + a.page.Until.Format(time.RFC3339Nano) + `'`
}

func (a arithmetic) within(column string) string {
	return column + ` >= '` + a.page.Since.Format(time.RFC3339Nano) + `' AND ` + a.before(column)
}

func (a arithmetic) bound(which string) string {
	switch {
	case a.run != "" && which == "since":
		return a.whole(`SELECT to_char(started_at AT TIME ZONE 'UTC', '` + stamp + `') FROM {runs}`)
	case a.run != "" && a.bounded:
		return a.whole(`SELECT to_char(ended_at AT TIME ZONE 'UTC', '` + stamp + `') FROM {runs}`)
	case which == "since":
		return a.page.Since.Format(time.RFC3339Nano)
	case !a.bounded:
		return a.page.MadeAt.Format(time.RFC3339Nano)
	}
	return a.page.Until.Format(time.RFC3339Nano)
}

const (
	inSource = `left_at IS NULL`
	lacking  = `state IN ('pending', 'partial', 'failed')`
	// Of the exceptions of the test all hold.
	notAccepted = `subject NOT IN (SELECT e.subject FROM archive.exceptions AS e)`

	waiting = `FROM archive.subjects WHERE state = 'pending' AND left_at IS NULL`
	since   = `coalesce(verified_at, first_seen_at)`
	seconds = `(SELECT sum(extract(epoch FROM coalesce(ended_at, {now}) - started_at)) FROM {runs})`
)

// sql is the query for a figure that stands once on the page.
func (a arithmetic) sql(first, rest string) string {
	count := func(condition string) string { return `SELECT count(*) FROM archive.subjects WHERE ` + condition }
	at := func(column, from string) string {
		return `SELECT to_char(` + column + ` AT TIME ZONE 'UTC', '` + stamp + `') ` + from
	}
	percent := func(part, whole string) string {
		return `SELECT CASE WHEN (` + whole + `) = 0 THEN 0.0 ELSE trunc(100.0 * (` + part + `) / (` + whole + `), 1) END`
	}
	state := `state = '` + rest + `'`
	outcome := `SELECT count(*) FROM {outcomes} AND outcome = '` + rest + `'`
	switch first {
	case "states":
		return count(state)
	case "left":
		return count(state + ` AND left_at IS NOT NULL`)
	case "share":
		return percent(count(state), count(`true`))
	case "open":
		return count(state + ` AND ` + inSource + ` AND ` + notAccepted)
	case "outcomes":
		return outcome
	case "outcome_share":
		return percent(outcome, `SELECT count(*) FROM {outcomes}`)
	case "hours":
		const byHour = `(SELECT extract(hour FROM ended_at AT TIME ZONE 'UTC')::int AS hour, sum(requests) AS n FROM {outcomes} GROUP BY 1) AS x`
		switch rest {
		case "peak":
			return `SELECT max(n) FROM ` + byHour
		case "peak_at":
			return `SELECT to_char(hour, 'FM00') || ':00' FROM ` + byHour + ` ORDER BY n DESC, hour LIMIT 1`
		}
		return `SELECT n FROM ` + byHour + ` WHERE hour = ` + rest
	case "requests":
		if rest == "total" {
			return `SELECT coalesce(sum(value::bigint), 0) FROM (SELECT requests AS r FROM {processes}) AS p, jsonb_each_text(p.r)`
		}
		return `SELECT sum((requests ->> '` + rest + `')::bigint) FROM {processes}`
	}
	const busiest = `SELECT date_trunc('hour', ended_at AT TIME ZONE 'UTC') AS at, sum(requests) AS n FROM {outcomes} GROUP BY 1 ORDER BY n DESC, at LIMIT 1`
	const unclassed = `state IN ('partial', 'failed') AND last_class NOT IN (SELECT class FROM archive.classes)`
	return map[string]string{
		"users.total":           count(`true`),
		"users.left":            count(`left_at IS NOT NULL`),
		"users.unlisted":        count(`unlisted_at IS NOT NULL`),
		"users.in_source":       count(inSource),
		"users.open":            count(lacking + ` AND ` + inSource + ` AND ` + notAccepted),
		"users.accepted":        count(inSource + ` AND NOT ` + notAccepted),
		"users.gone":            count(lacking + ` AND left_at IS NOT NULL`),
		"users.nothing":         count(`state IN ('no_images', 'not_found')`),
		"users.unexplained":     count(unclassed),
		"users.coverage":        percent(count(`state = 'archived'`), count(`true`)),
		"users.due_now":         count(`next_due_at <= {now} AND user_id IS NOT NULL AND ` + inSource),
		"users.read_rows":       `SELECT count(*) FROM users`,
		"users.read_at":         at(`max(synced_at)`, `FROM archive.runs`),
		"waiting.day":           `SELECT count(*) ` + waiting + ` AND ` + since + ` > {now} - interval '1 day'`,
		"waiting.week":          `SELECT count(*) ` + waiting + ` AND ` + since + ` BETWEEN {now} - interval '7 days' AND {now} - interval '1 day'`,
		"waiting.month":         `SELECT count(*) ` + waiting + ` AND ` + since + ` BETWEEN {now} - interval '30 days' AND {now} - interval '7 days'`,
		"waiting.longer":        `SELECT count(*) ` + waiting + ` AND ` + since + ` < {now} - interval '30 days'`,
		"waiting.oldest_at":     at(`min(`+since+`)`, waiting),
		"waiting.age":           `SELECT floor(extract(epoch FROM {now} - min(` + since + `))) ` + waiting,
		"runs.total":            `SELECT count(*) FROM {runs}`,
		"runs.open":             `SELECT count(*) FROM {runs} AND ended_at IS NULL`,
		"runs.closed":           `SELECT count(*) FROM {runs} AND status = 'closed'`,
		"runs.interrupted":      `SELECT count(*) FROM {runs} AND status = 'interrupted'`,
		"work.attempts":         `SELECT count(*) FROM {outcomes}`,
		"work.images":           `SELECT count(*) FROM {images}`,
		"work.bytes":            `SELECT coalesce(sum(bytes), 0) FROM {images}`,
		"work.seconds":          `SELECT coalesce(floor(` + seconds + `), 0)`,
		"work.users_per_hour":   `SELECT coalesce(floor(3600 * (SELECT count(*) FROM {outcomes}) / nullif(floor(` + seconds + `), 0)), 0)`,
		"work.images_per_hour":  `SELECT coalesce(floor(3600 * (SELECT count(*) FROM {images}) / nullif(floor(` + seconds + `), 0)), 0)`,
		"stored.images":         `SELECT count(*) FROM {stored}`,
		"stored.bytes":          `SELECT coalesce(sum(bytes), 0) FROM {stored}`,
		"quota.busiest":         `SELECT n FROM (` + busiest + `) AS b`,
		"quota.busiest_at":      `SELECT to_char(at, '` + stamp + `') FROM (` + busiest + `) AS b`,
		"quota.busiest_share":   percent(`SELECT n FROM (`+busiest+`) AS b`, fmt.Sprint(60*perMinute)),
		"verifications.total":   `SELECT count(*) FROM {verifications}`,
		"verifications.damaged": `SELECT count(*) FROM {verifications} AND damaged > 0`,
		"log.entries":           `SELECT count(*) FROM archive.log_entries`,
		"log.last_at":           at(`max(added_at)`, `FROM archive.log_entries`),
		"log.sealed":            `SELECT size FROM archive.log`,
		"log.sealed_at":         at(`max(sealed_at)`, `FROM archive.log`),
		"log.records":           `SELECT count(*) FROM archive.records`,
		"log.waiting":           `SELECT count(*) FROM archive.records AS r WHERE NOT EXISTS (SELECT 1 FROM archive.log_entries AS e WHERE e.key = r.key)`,
		"last.users":            a.point(len(a.page.Points)-1, "users"),
		"last.archived":         a.point(len(a.page.Points)-1, "archived"),
		"attempts.peak":         a.peak(`n`),
		"attempts.peak_at":      a.peak(`to_char(at AT TIME ZONE 'UTC', '` + a.labelFormat() + `')`),
	}[first+"."+rest]
}

// ofRun is a figure of a run: "RUN.name", or "name" of the run reported on.
func (a arithmetic) ofRun(rest string) string {
	id, name, found := strings.Cut(rest, ".")
	if !found {
		id, name = a.run, rest
	}
	sql := map[string]string{
		"started_at": `SELECT to_char(started_at AT TIME ZONE 'UTC', '` + stamp + `') FROM archive.runs WHERE run_id = $run`,
		"took":       `SELECT floor(extract(epoch FROM coalesce(ended_at, {now}) - started_at)) FROM archive.runs WHERE run_id = $run`,
		"attempts":   `SELECT count(*) FROM archive.outcomes WHERE run_id = $run`,
		"unhappy":    `SELECT count(*) FROM archive.outcomes WHERE run_id = $run AND outcome IN ('failed', 'partial')`,
		"images":     `SELECT count(*) FROM archive.images WHERE run_id = $run AND state = 'stored'`,
		"bytes":      `SELECT coalesce(sum(bytes), 0) FROM archive.images WHERE run_id = $run AND state = 'stored'`,
		"requests":   `SELECT coalesce(sum(requests), 0) FROM archive.outcomes WHERE run_id = $run`,
	}[name]
	return a.whole(strings.ReplaceAll(sql, "$run", "'"+id+"'"))
}

func (a arithmetic) ofFailure(rest string) string {
	class, name, _ := strings.Cut(rest, ".")
	standing := `FROM archive.subjects WHERE state IN ('partial', 'failed') AND last_class = '` + class + `' AND ` + notAccepted
	return a.whole(map[string]string{
		"attempts":  `SELECT count(*) FROM {outcomes} AND outcome IN ('failed', 'partial') AND class = '` + class + `'`,
		"standing":  `SELECT count(*) ` + standing,
		"oldest_at": `SELECT to_char(min(` + since + `) AT TIME ZONE 'UTC', '` + stamp + `') ` + standing,
	}[name])
}

func (a arithmetic) ofVerification(rest string) string {
	place, name, _ := strings.Cut(rest, ".")
	if strings.HasSuffix(name, "_at") {
		name = `to_char(` + name + ` AT TIME ZONE 'UTC', '` + stamp + `')`
	}
	return a.whole(`SELECT ` + name + ` FROM {verifications} ORDER BY archive.verifications.ended_at DESC OFFSET ` + place + ` LIMIT 1`)
}

// ofPoint is a figure of a step: "3.users".
func (a arithmetic) ofPoint(rest string) string {
	place, name, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(place)
	a.must(err)
	if name == "from" {
		return a.page.Since.Add(time.Duration(n) * a.step()).Format(time.RFC3339Nano)
	}
	return a.whole(a.point(n, name))
}

func (a arithmetic) step() time.Duration { return time.Duration(a.page.StepSeconds) * time.Second }

// point is the query for what had come by the end of a step, or came in it.
func (a arithmetic) point(n int, name string) string {
	from := a.page.Since.Add(time.Duration(n) * a.step())
	until := func(column string) string {
		if n == len(a.page.Points)-1 {
			return a.before(column)
		}
		return column + ` < '` + from.Add(a.step()).Format(time.RFC3339Nano) + `'`
	}
	in := func(column string) string {
		return column + ` >= '` + from.Format(time.RFC3339Nano) + `' AND ` + until(column)
	}
	return map[string]string{
		"users": `SELECT count(*) FROM archive.subjects WHERE ` + until(`first_seen_at`),
		"archived": `SELECT count(*) FROM archive.subjects AS s WHERE EXISTS (
			SELECT 1 FROM archive.outcomes AS o WHERE o.subject = s.subject AND o.outcome IN ('archived', 'unchanged') AND ` + until(`o.ended_at`) + `)`,
		"images":   `SELECT count(*) FROM archive.images WHERE state = 'stored' AND ` + until(`fetched_at`),
		"bytes":    `SELECT coalesce(sum(bytes), 0) FROM archive.images WHERE state = 'stored' AND ` + until(`fetched_at`),
		"attempts": `SELECT count(*) FROM {outcomes} AND ` + in(`ended_at`),
		"requests": `SELECT coalesce(sum(requests), 0) FROM {outcomes} AND ` + in(`ended_at`),
	}[name]
}

// peak is a query for the step in which the most attempts ended.
func (a arithmetic) peak(column string) string {
	return fmt.Sprintf(`SELECT %s FROM (
		SELECT date_bin('%d seconds', ended_at, '%s') AS at, count(*) AS n FROM {outcomes} GROUP BY 1 ORDER BY n DESC, at LIMIT 1) AS p`,
		column, a.page.StepSeconds, a.page.Since.Format(time.RFC3339Nano))
}

func (a arithmetic) labelFormat() string {
	switch {
	case a.step() < time.Hour:
		return "HH24:MI"
	case a.step() < 24*time.Hour:
		return "FMDD Mon HH24:MI"
	}
	return "FMDD Mon"
}
