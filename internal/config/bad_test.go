package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"vlens-archiver/internal/config"
)

// Problems are told at the exact place, by key, with what is expected. Lines of
// minimal: 1 source, 3 ledger, 5 vlens, 10 archive; what is added starts at 13.
func TestBadInput(t *testing.T) {
	t.Parallel()
	in := func(section, line string) string { return replace(t, section+":\n", section+":\n  "+line+"\n") }
	longer := strings.Repeat("x", 33)
	for name, c := range map[string]struct{ text, place, says string }{
		// YAML
		"syntax":                   {minimal + "worker: [1\n", "13:9: ", "not valid YAML"},
		"tab":                      {minimal + "\tworker: 1\n", "13:1: ", "not valid YAML"},
		"unquoted reference":       {minimal + "worker: {attempts: ${N}}\n", "13:21: ", "needs quotes"},
		"second document":          {minimal + "---\nworker: {attempts: 1}\n", "13:1: ", "one YAML document"},
		"empty second document":    {minimal + "---\n", "13:1: ", "one YAML document"},
		"list at the top":          {"- a\n", "1:1: ", "expected a section"},
		"unknown section":          {minimal + "workers: {}\n", "13:1: workers: ", "unknown key"},
		"unknown key":              {in("archive", "colour: red"), "11:3: archive.colour: ", "unknown key"},
		"unknown key, flow":        {minimal + "worker: {attempts: 4, burst: 1}\n", "13:23: worker.burst: ", "unknown key"},
		"unknown key, deep":        {in("vlens", "quota: {per_hour: 1}"), "6:11: vlens.quota.per_hour: ", "unknown key"},
		"duplicate key":            {in("source", "phone_region: EG\n  phone_region: US"), "3:3: source.phone_region: ", "duplicate"},
		"duplicate section":        {minimal + "source: {}\n", "13:1: source: ", "duplicate"},
		"key of another shape":     {minimal + "? [a]\n: b\n", "", ""},
		"merge key":                {minimal + "<<: {worker: {}}\n", "13:1: ", "unknown key"},
		"text for a section":       {minimal + "worker: fast\n", "13:9: worker: ", "expected a section"},
		"section for a value":      {in("archive", "prefix: {a: b}"), "11:11: archive.prefix: ", "single value"},
		"text for a list":          {in("source", "identifiers: phone"), "2:16: source.identifiers: ", "list"},
		"no value":                 {in("archive", "prefix:"), "11:10: archive.prefix: ", "no value"},
		"anchor":                   {in("archive", "prefix: &a b"), "11:11: archive.prefix: ", "anchors"},
		"not a number":             {minimal + "worker: {concurrency: many}\n", "13:23: worker.concurrency: ", "whole number"},
		"fraction":                 {minimal + "worker: {concurrency: 1.5}\n", "13:23: worker.concurrency: ", "whole number"},
		"not a bool":               {in("archive", "force_path_style: yes"), "11:21: archive.force_path_style: ", "true or false"},
		"duration without unit":    {minimal + "worker: {recheck_after: 90}\n", "13:25: worker.recheck_after: ", "duration"},
		"size with another unit":   {minimal + "worker: {memory: 1 GiB}\n", "13:18: worker.memory: ", "size"},
		"size too large":           {minimal + "worker: {memory: 9999999999GiB}\n", "13:18: worker.memory: ", "size"},
		"size negative":            {minimal + "worker: {memory: -1}\n", "13:18: worker.memory: ", "size"},
		"missing variable":         {in("archive", "prefix: ${NOWHERE}"), "11:11: archive.prefix: ", "NOWHERE"},
		"missing value file":       {in("archive", "prefix: ${file:/no/such}"), "11:11: archive.prefix: ", "/no/such"},
		"relative value file":      {in("archive", "prefix: ${file:secret}"), "11:11: archive.prefix: ", "absolute path"},
		"device as value file":     {in("archive", "prefix: ${file:/dev/zero}"), "11:11: archive.prefix: ", "regular file"},
		"missing variable in list": {in("source", "identifiers: [phone, \"${NOWHERE}\"]"), "2:24: source.identifiers: ", "NOWHERE"},

		// Required
		"no source":        {replace(t, "source:\n  database_url: postgres://reader:pw@db.example/app\n", ""), "1:1: source.database_url: ", "required"},
		"no ledger url":    {replace(t, "ledger:\n  database_url: postgres://writer:pw@db.example/app\n", "ledger:\n"), "3:1: ledger.database_url: ", "required"},
		"no api key":       {replace(t, "  api_key: planted-api-key\n", ""), "5:1: vlens.api_key: ", "required"},
		"no tenancy":       {replace(t, "  tenancy_name: acme\n", ""), "5:1: vlens.tenancy_name: ", "required"},
		"no username":      {replace(t, "  username: planted-username\n", ""), "5:1: vlens.username: ", "required"},
		"empty password":   {replace(t, "planted-password", `""`), "9:13: vlens.password: ", "required"},
		"no bucket":        {replace(t, "  bucket: kyc\n", ""), "10:1: archive.bucket: ", "required"},
		"no subject key":   {replace(t, "  subject_key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", ""), "10:1: archive.subject_key: ", "required"},
		"database, scheme": {replace(t, "postgres://reader", "mysql://reader"), "2:17: source.database_url: ", "postgres://"},
		"database, escape": {replace(t, "writer:pw", "writer:p%w"), "4:17: ledger.database_url: ", "percent-encoded"},

		// Source
		"not a query":          {in("source", "users_sql: DELETE FROM users"), "2:14: source.users_sql: ", "SELECT or WITH"},
		"empty query":          {in("source", `users_sql: ""`), "2:14: source.users_sql: ", "SELECT or WITH"},
		"lookup without ids":   {in("source", "lookup_sql: SELECT 1"), "2:15: source.lookup_sql: ", "ANY($1)"},
		"region unknown":       {in("source", "phone_region: XX"), "2:17: source.phone_region: ", "EG"},
		"region in lower case": {in("source", "phone_region: eg"), "2:17: source.phone_region: ", "capital"},
		"no identifiers":       {in("source", "identifiers: []"), "", "expected phone, email or both"},
		"identifier twice":     {in("source", "identifiers: [phone, phone]"), "", "source.identifiers: names an identifier twice"},
		"identifier unknown":   {in("source", "identifiers: [fax]"), "", "source.identifiers: expected phone, email"},

		// Vlens
		"http":                   {in("vlens", "base_url: http://api.vlenseg.com"), "6:13: vlens.base_url: ", "https"},
		"http, loopback as name": {in("vlens", "base_url: http://127.0.0.1.example"), "6:13: vlens.base_url: ", "https"},
		"base url with query":    {in("vlens", "base_url: https://a.example?x=1"), "6:13: vlens.base_url: ", "query"},
		"base url with user":     {in("vlens", "base_url: https://u:p@a.example"), "6:13: vlens.base_url: ", "user"},
		"password too long":      {replace(t, "planted-password", longer), "9:13: vlens.password: ", "32 characters"},
		"username too long":      {replace(t, "planted-username", strings.Repeat(longer, 8)), "8:13: vlens.username: ", "256 characters"},
		"tenancy too long":       {replace(t, "acme", strings.Repeat(longer, 8)), "7:17: vlens.tenancy_name: ", "256 characters"},
		"line end in api key":    {replace(t, "planted-api-key", `"a\nb"`), "6:12: vlens.api_key: ", "control character"},
		"quota negative":         {in("vlens", "quota: {per_second: -1}"), "6:23: vlens.quota.per_second: ", "from 0"},
		"margin negative":        {in("vlens", "quota: {margin: -1s}"), "6:19: vlens.quota.margin: ", "not negative"},
		"timeout 0":              {in("vlens", "timeout: 0"), "6:12: vlens.timeout: ", "above 0"},
		"image 0":                {in("vlens", "max_image_bytes: 0"), "6:20: vlens.max_image_bytes: ", "from 1"},
		"code 0":                 {in("vlens", "codes: {gone: [0]}"), "6:18: vlens.codes.gone: ", "success"},
		"code with two meanings": {in("vlens", "codes: {permanent: [4003]}"), "6:23: vlens.codes.permanent: ", "one meaning"},

		// Archive and evidence
		"bucket url":           {replace(t, "bucket: kyc", "bucket: s3://kyc"), "11:11: archive.bucket: ", "without s3://"},
		"prefix slash":         {in("archive", "prefix: vlens/"), "11:11: archive.prefix: ", "slash"},
		"prefix leading slash": {in("archive", "prefix: /vlens"), "11:11: archive.prefix: ", "slash"},
		"prefix dots":          {in("archive", "prefix: a/../b"), "11:11: archive.prefix: ", ".."},
		"region empty":         {in("archive", `region: ""`), "11:11: archive.region: ", "me-central-1"},
		"endpoint":             {in("archive", "endpoint: minio:9000"), "11:13: archive.endpoint: ", "http"},
		"subject key short":    {replace(t, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "AAEC"), "12:16: archive.subject_key: ", "32 bytes"},
		"subject key no b64":   {replace(t, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a!b"), "12:16: archive.subject_key: ", "base64"},
		"encryption":           {in("archive", "encryption: {mode: aes}"), "11:22: archive.encryption.mode: ", "sse-kms"},
		"key id without kms":   {in("archive", "encryption: {kms_key_id: k}"), "11:28: archive.encryption.kms_key_id: ", "sse-kms only"},
		"lock mode":            {in("archive", "object_lock: {mode: worm, days: 1}"), "11:23: archive.object_lock.mode: ", "governance"},
		"lock without days":    {in("archive", "object_lock: {mode: compliance}"), "11:3: archive.object_lock.days: ", "from 1"},
		"days without lock":    {in("archive", "object_lock: {days: 30}"), "11:23: archive.object_lock.days: ", "no effect"},
		"origin with scheme":   {minimal + "evidence: {origin: \"https://a/b\"}\n", "13:20: evidence.origin: ", "scheme"},
		"origin with plus":     {minimal + "evidence: {origin: a+b}\n", "13:20: evidence.origin: ", "plus"},
		"origin with space":    {minimal + "evidence: {origin: a b}\n", "13:20: evidence.origin: ", "spaces"},
		"tenancy as origin":    {replace(t, "acme", "acme co"), "1:1: evidence.origin: ", "vlens.tenancy_name"},
		"signing key":          {minimal + "evidence: {signing_key: planted-key}\n", "13:25: evidence.signing_key: ", "keygen"},
		"key of another log":   {minimal + "evidence: {signing_key: " + signingKey + "}\n", "13:25: evidence.signing_key: ", "vlens-archive/acme"},
		"key and bad origin":   {minimal + "evidence: {origin: a+b, signing_key: " + signingKey + "}\n", "13:20: evidence.origin: ", "plus"},
		"timestamp url":        {minimal + "evidence: {timestamp_url: tsa}\n", "13:27: evidence.timestamp_url: ", "http"},

		// Worker, schedule and the rest
		"concurrency 0":      {minimal + "worker: {concurrency: 0}\n", "13:23: worker.concurrency: ", "1 to 1024"},
		"concurrency 1025":   {minimal + "worker: {concurrency: 1025}\n", "13:23: worker.concurrency: ", "1 to 1024"},
		"attempts 21":        {minimal + "worker: {attempts: 21}\n", "13:20: worker.attempts: ", "1 to 20"},
		"recheck 59m":        {minimal + "worker: {recheck_after: 59m}\n", "13:25: worker.recheck_after: ", "at least 1h"},
		"recheck negative":   {minimal + "worker: {recheck_after: -2h}\n", "13:25: worker.recheck_after: ", "at least 1h"},
		"memory":             {minimal + "worker: {memory: 32MiB}\n", "13:18: worker.memory: ", "at least 39254KiB"},
		"cron":               {minimal + "schedule: {cron: \"0 22 * *\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron every":         {minimal + "schedule: {cron: \"@every 1h\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron empty":         {minimal + "schedule: {cron: \"\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron every, spaced": {minimal + "schedule: {cron: \" @every 1h\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron with zone":     {minimal + "schedule: {cron: \"TZ=UTC 0 22 * * *\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron zone alone":    {minimal + "schedule: {cron: \"TZ=0\"}\n", "13:18: schedule.cron: ", "five cron fields"},
		"cron never":         {minimal + "schedule: {cron: \"0 0 31 2 *\"}\n", "13:18: schedule.cron: ", "does not exist"},
		"timezone":           {minimal + "schedule: {timezone: Cairo}\n", "13:22: schedule.timezone: ", "Africa/Cairo"},
		"timezone local":     {minimal + "schedule: {timezone: Local}\n", "13:22: schedule.timezone: ", "Africa/Cairo"},
		"heartbeat":          {minimal + "notify: {heartbeat_url: hc}\n", "13:25: notify.heartbeat_url: ", "http"},
		"webhook":            {minimal + "notify: {webhook_url: ftp://h}\n", "13:23: notify.webhook_url: ", "http"},
		"otlp query":         {minimal + "telemetry: {otlp_endpoint: \"http://c:4318/?token=x\"}\n", "13:28: telemetry.otlp_endpoint: ", "without a query"},
		"otlp":               {minimal + "telemetry: {otlp_endpoint: \"c:4317\"}\n", "13:28: telemetry.otlp_endpoint: ", "http"},
		"metrics":            {minimal + "telemetry: {metrics_listen: 9090}\n", "13:29: telemetry.metrics_listen: ", "host:port"},
		"health port":        {minimal + "telemetry: {health_listen: \":http\"}\n", "13:28: telemetry.health_listen: ", "host:port"},
		"not UTF-8":          {minimal + "# \xff\n", "1:1: ", "UTF-8"},
		"escape in password": {replace(t, "planted-password", `"a\qb"`), "9:16: ", "escape character …"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := config.Parse("config.yaml", []byte(c.text), noEnv)
			if cfg != nil || !errors.Is(err, config.ErrInvalid) {
				t.Fatalf("got %v, %v", cfg, err)
			}
			lines := strings.Split(err.Error(), "\n  ")[1:]
			found := slices.ContainsFunc(lines, func(line string) bool {
				return strings.HasPrefix(line, "config.yaml:"+c.place) && strings.Contains(line, c.says)
			})
			if c.place == "" {
				found = strings.Contains(err.Error(), c.says)
			}
			if !found {
				t.Fatalf("want config.yaml:%s… %q in\n%v", c.place, c.says, err)
			}
			if len(lines) != 1 && name != "list at the top" {
				t.Errorf("one mistake, %d problems:\n%v", len(lines), err)
			}
		})
	}
}

func TestAllProblemsAreReportedInOrder(t *testing.T) {
	t.Parallel()
	_, err := config.Parse("c.yaml", []byte(`worker:
  attempts: 0
  burst: 1
archive:
  prefix: /x
  colour: red
schedule: {cron: never}
`), noEnv)
	invalid, ok := errors.AsType[*config.InvalidError](err)
	if !ok {
		t.Fatalf("got %T: %v", err, err)
	}
	var got []string
	for _, p := range invalid.Problems {
		got = append(got, fmt.Sprintf("%d:%d %s", p.Line, p.Column, p.Key))
	}
	want := []string{
		"1:1 source.database_url", "1:1 ledger.database_url", "1:1 vlens.api_key", "1:1 vlens.tenancy_name",
		"1:1 vlens.username", "1:1 vlens.password", "2:13 worker.attempts", "3:3 worker.burst",
		"4:1 archive.bucket", "4:1 archive.subject_key", "5:11 archive.prefix", "6:3 archive.colour", "7:18 schedule.cron",
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %q\nwant %q", got, want)
	}
}

func TestManyProblemsAreCutShort(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "k%d: 1\n", i)
	}
	_, err := config.Parse("c.yaml", []byte(minimal+text.String()), noEnv)
	if err == nil || !strings.HasSuffix(err.Error(), "and 30 more") {
		t.Fatal(err)
	}
}
