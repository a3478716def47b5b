package main

import (
	"time"

	"vlens-archiver/store"
)

// statedStatus is the status as --json states it. Users has every state, left,
// unlisted, accepted and total; Coverage is the share of users archived, 0 to 1.
type statedStatus struct {
	At              time.Time        `json:"at"`
	Users           map[string]int64 `json:"users"`
	Coverage        float64          `json:"coverage"`
	OldestPendingAt *time.Time       `json:"oldest_pending_at"`
	Runs            []statedRunLine  `json:"runs"`
	Failures        []statedFailure  `json:"failures"`
	Log             statedLog        `json:"log"`
	Quota           statedQuota      `json:"quota"`
}

// statedLog is the evidence log as the ledger last knew it: entries under the
// signed checkpoint and the root over them, entries that wait for it,
// and whether there is a key to sign with.
type statedLog struct {
	Size       int64      `json:"size"`
	Root       string     `json:"root"`
	Waiting    int64      `json:"waiting"`
	SealedAt   *time.Time `json:"sealed_at"`
	SigningKey bool       `json:"signing_key"`
}

type statedRunLine struct {
	RunID     string                  `json:"run_id"`
	Kind      store.RunKind           `json:"kind"`
	Status    store.RunStatus         `json:"status"`
	StartedAt time.Time               `json:"started_at"`
	EndedAt   *time.Time              `json:"ended_at"`
	Outcomes  map[store.Outcome]int64 `json:"outcomes"`
	Images    int64                   `json:"images"`
	Bytes     int64                   `json:"bytes"`
	Requests  int64                   `json:"requests"`
}

type statedFailure struct {
	Class    store.Class `json:"class"`
	Users    int64       `json:"users"`
	OldestAt *time.Time  `json:"oldest_at"`
	Settled  bool        `json:"settled"`
	Meaning  string      `json:"meaning"`
	Remedy   string      `json:"remedy"`
}

// statedQuota is what is taken of each window and the limit in force, 0 for none.
type statedQuota struct {
	PerSecond  int        `json:"per_second"`
	SecondUsed int        `json:"second_used"`
	PerMinute  int        `json:"per_minute"`
	MinuteUsed int        `json:"minute_used"`
	InFlight   int        `json:"in_flight"`
	Waiting    int        `json:"waiting"`
	Processes  int        `json:"processes"`
	CoolUntil  *time.Time `json:"cool_until"`
}

func stateStatus(s store.Status, quota store.QuotaUse, signs bool) statedStatus {
	stated := statedStatus{
		At:              s.At.UTC(),
		Users:           map[string]int64{"left": s.UsersLeft, "unlisted": s.UsersUnlisted, "accepted": s.UsersAccepted, "total": s.UsersTotal},
		Coverage:        coverage(s),
		OldestPendingAt: moment(s.OldestPendingAt),
		Runs:            make([]statedRunLine, 0, len(s.Runs)),
		Failures:        make([]statedFailure, 0, len(s.Failures)),
		Log: statedLog{
			Size: s.Log.Head.Size, Root: s.Log.Head.Root, Waiting: s.Log.Unsealed(),
			SealedAt: moment(s.SealedAt), SigningKey: signs,
		},
		Quota: statedQuota{
			PerSecond: quota.PerSecond, SecondUsed: quota.SecondUsed,
			PerMinute: quota.PerMinute, MinuteUsed: quota.MinuteUsed,
			InFlight: quota.InFlight, Waiting: quota.Waiting, Processes: quota.Processes,
			CoolUntil: moment(quota.CoolUntil),
		},
	}
	for _, state := range store.States {
		stated.Users[string(state)] = s.Users[state]
	}
	for _, line := range s.Runs {
		run := statedRunLine{
			RunID: line.Run.ID, Kind: line.Run.Kind, Status: line.Run.Status,
			StartedAt: line.Run.StartedAt.UTC(), EndedAt: moment(line.Run.EndedAt),
			Outcomes: make(map[store.Outcome]int64),
			Images:   line.Images, Bytes: line.Bytes, Requests: line.Requests,
		}
		for _, outcome := range store.Outcomes {
			run.Outcomes[outcome] = line.Outcomes[outcome]
		}
		stated.Runs = append(stated.Runs, run)
	}
	for _, line := range s.Failures {
		info, _ := line.Class.Info()
		stated.Failures = append(stated.Failures, statedFailure{
			Class: line.Class, Users: line.Users, OldestAt: moment(line.OldestAt),
			Settled: line.Settled, Meaning: info.Meaning, Remedy: info.Remedy,
		})
	}
	return stated
}
