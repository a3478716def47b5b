package progress

import (
	"testing"
	"time"

	"vlens-archiver/worker"
)

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.November, 23, 22, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		perMinute int
		users     int64
		requests  int64
		want      time.Duration
	}{
		"at the quota, before anybody is done": {perMinute: 70, want: 10 * time.Minute},
		"at the quota, by what users cost":     {perMinute: 10, users: 50, requests: 100, want: 10 * time.Minute},
		"without a quota, unknown at first":    {want: 0},
		"without a quota, by the speed so far": {users: 25, requests: 175, want: 15 * time.Minute},
		"nobody is left":                       {perMinute: 10, users: 100, requests: 700, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meter{quotaPerMinute: c.perMinute}
			m.read(start, worker.Snapshot{Phase: "archive", Due: 100})
			now := m.read(start.Add(5*time.Minute), worker.Snapshot{
				Phase: "archive", Due: 100, Users: c.users, Requests: map[string]int64{"list": c.requests},
			})
			if now.left != c.want {
				t.Errorf("left %s, want %s", now.left, c.want)
			}
		})
	}
}

func TestRateIsThatOfTheLastMinute(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, time.November, 23, 22, 0, 0, 0, time.UTC)
	m := meter{}
	var last figures
	for second := range 301 {
		// 100 requests in the first two minutes, then one a second.
		requests := int64(100)
		if second > 120 {
			requests += int64(second - 120)
		}
		last = m.read(start.Add(time.Duration(second)*time.Second), worker.Snapshot{Requests: map[string]int64{"list": requests}})
	}
	if last.perMinute != 60 {
		t.Errorf("%v requests a minute, want 60", last.perMinute)
	}
	if len(m.marks) > 62 {
		t.Errorf("%d marks are kept for one minute of readings a second", len(m.marks))
	}
}
