package config

import "time"

// defaults is the configuration of an empty file. evidence.origin depends on
// another key and gets its default when that one is known.
func defaults() Config {
	return Config{
		Source: Source{
			UsersSQL:    "SELECT id::text AS id, email, phone FROM users",
			PhoneRegion: "EG",
			Identifiers: []string{"phone", "email"},
		},
		Vlens: Vlens{
			BaseURL:       "https://api.vlenseg.com",
			Quota:         Quota{PerSecond: 5, PerMinute: 40, Margin: 250 * time.Millisecond},
			Timeout:       time.Minute,
			MaxImageBytes: 16 * MiB,
			Codes:         Codes{NotFound: []int{}, Gone: []int{}, Throttled: []int{4003}, Permanent: []int{}},
		},
		Archive: Archive{
			Prefix:     "vlens",
			Region:     "me-central-1",
			Encryption: Encryption{Mode: EncryptionSSES3},
			ObjectLock: ObjectLock{Mode: LockNone},
		},
		Worker: Worker{
			Concurrency:  16,
			Memory:       256 * MiB,
			RecheckAfter: 90 * 24 * time.Hour,
			Attempts:     4,
		},
		Schedule: Schedule{Cron: "0 22 * * *", Timezone: "Africa/Cairo"},
	}
}
