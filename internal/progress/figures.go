package progress

import (
	"time"

	"vlens-archiver/store"
	"vlens-archiver/worker"
)

// rateWindow is the time over which the rate of requests is taken: the vendor's
// longer window, since within it requests come in bursts.
const rateWindow = time.Minute

// usualRequests is taken for the requests of one user before any is done: one
// listing and all the images a user can have.
const usualRequests = float64(1 + store.KindCount)

// figures are what is shown at one moment.
type figures struct {
	worker.Snapshot
	perMinute float64        // requests a minute, lately
	left      time.Duration  // until all users are done; 0 when not known
	quota     store.QuotaUse // zero without a quota
}

// meter turns snapshots into figures. One goroutine owns it.
type meter struct {
	quotaPerMinute int       // requests, 0 without a quota
	archiving      time.Time // when the first user could be claimed
	marks          []mark    // within rateWindow, oldest first
}

// mark is how many requests had been sent at a time.
type mark struct {
	at       time.Time
	requests int64
}

// read works out the figures of a snapshot. Its calls are in order of time.
func (m *meter) read(now time.Time, s worker.Snapshot) figures {
	if m.archiving.IsZero() && s.Phase == "archive" {
		m.archiving = now
	}
	return figures{Snapshot: s, perMinute: m.rate(now, s.TotalRequests()), left: m.left(now, s)}
}

// rate is the requests a minute over the last rateWindow.
func (m *meter) rate(now time.Time, requests int64) float64 {
	m.marks = append(m.marks, mark{now, requests})
	for len(m.marks) > 2 && now.Sub(m.marks[1].at) >= rateWindow {
		m.marks = m.marks[1:]
	}
	span := now.Sub(m.marks[0].at)
	if span <= 0 {
		return 0
	}
	return float64(requests-m.marks[0].requests) / span.Minutes()
}

// left is the time that the users still due will take: at the quota when there
// is one, else at the speed so far. Other processes of the run make it shorter.
func (m *meter) left(now time.Time, s worker.Snapshot) time.Duration {
	users := s.Due - s.Users
	if users <= 0 {
		return 0
	}
	if m.quotaPerMinute > 0 {
		requests := usualRequests
		if s.Users > 0 {
			requests = float64(s.TotalRequests()) / float64(s.Users)
		}
		minutes := float64(users) * requests / float64(m.quotaPerMinute)
		return time.Duration(minutes * float64(time.Minute))
	}
	if s.Users == 0 || m.archiving.IsZero() {
		return 0
	}
	return time.Duration(float64(now.Sub(m.archiving)) / float64(s.Users) * float64(users))
}
