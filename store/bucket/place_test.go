package bucket

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The shortcut sends objects where the SDK does, which says so by a URL that it
// signs without sending it.
func TestShortcutGoesToThePlaceOfTheSDK(t *testing.T) {
	tests := map[string]struct {
		change func(*Config)
		env    string
	}{
		"AWS":               {change: func(*Config) {}},
		"AWS, path style":   {change: func(c *Config) { c.ForcePathStyle = true }},
		"AWS, first region": {change: func(c *Config) { c.Region = "us-east-1" }},
		"AWS, dots in name": {change: func(c *Config) { c.Bucket = "a.b.c" }},
		"AWS, FIPS":         {change: func(c *Config) { c.Region = "us-east-1" }, env: "AWS_USE_FIPS_ENDPOINT"},
		"AWS, dual stack":   {change: func(*Config) {}, env: "AWS_USE_DUALSTACK_ENDPOINT"},
		"service":           {change: func(c *Config) { c.Endpoint = "https://s3.example.com:9000" }},
		"service, path":     {change: func(c *Config) { c.Endpoint, c.ForcePathStyle = "http://10.1.2.3/s3/", true }},
		"access point":      {change: func(c *Config) { c.Bucket = "arn:aws:s3:me-central-1:123456789012:accesspoint/evidence" }},
		"several regions":   {change: func(c *Config) { c.Bucket = "arn:aws:s3::123456789012:accesspoint/evidence.mrap" }},
		"directory bucket":  {change: func(c *Config) { c.Region, c.Bucket = "us-east-1", "evidence--use1-az4--x-s3" }},
		"access point, path": {change: func(c *Config) {
			c.Bucket, c.ForcePathStyle = "arn:aws:s3:me-central-1:123456789012:accesspoint/evidence", true
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.env != "" {
				t.Setenv(test.env, "true")
			}
			cfg := Config{Bucket: "archive", Region: "me-central-1", AccessKey: "AKID", SecretKey: "secret"}
			test.change(&cfg)
			b, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			key := "p/a b+c=d/e.jpg"
			if name == "several regions" || name == "directory bucket" {
				if b.shortcut != nil {
					t.Errorf("goes to %s, with a signature that is not asked for", b.shortcut.objectURL(key))
				}
				return
			}
			signed, err := s3.NewPresignClient(b.client).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &cfg.Bucket, Key: &key})
			if err != nil {
				if b.shortcut != nil {
					t.Errorf("goes to %s; the SDK says %v", b.shortcut.objectURL(key), err)
				}
				return
			}
			want, query, _ := strings.Cut(signed.URL, "?")
			if b.shortcut == nil || b.shortcut.objectURL(key).String() != want {
				t.Fatalf("goes to %v, want %s", b.shortcut, want)
			}
			if !strings.Contains(query, "%2F"+b.shortcut.region+"%2Fs3%2Faws4_request") {
				t.Errorf("signs for %q, the SDK %s", b.shortcut.region, query)
			}
		})
	}
}
