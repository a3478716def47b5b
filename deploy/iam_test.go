package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policy is an AWS policy document; every single value may stand for a list
// (docs.aws.amazon.com, "IAM JSON policy grammar").
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    oneOrMore
	Resource  oneOrMore
	Condition map[string]map[string]string
}

type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		return json.Unmarshal(data, (*[]string)(o))
	}
	*o = oneOrMore{""}
	return json.Unmarshal(data, &(*o)[0])
}

func readPolicy(t *testing.T, name string) policy {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("iam", name))
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	var p policy
	if err := decoder.Decode(&p); err != nil {
		t.Fatalf("decode %s: %v", name, err)
	}
	if p.Version != "2012-10-17" || len(p.Statement) == 0 {
		t.Fatalf("%s: version %q, %d statements", name, p.Version, len(p.Statement))
	}
	return p
}

// covers says whether the statement speaks of the action on the ARN. In ARNs a
// star matches slashes too, so they are taken out of path.Match's sight.
func (s statement) covers(action, arn string) bool {
	return matchesAny(s.Action, action) && matchesAny(s.Resource, arn)
}

func matchesAny(patterns []string, value string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		matched, err := path.Match(strings.ReplaceAll(pattern, "/", "|"), strings.ReplaceAll(value, "/", "|"))
		return err == nil && matched
	})
}

func (p policy) covering(effect, action, arn string) []statement {
	var found []statement
	for _, s := range p.Statement {
		if s.Effect == effect && s.covers(action, arn) {
			found = append(found, s)
		}
	}
	return found
}

const (
	bucketARN = "arn:aws:s3:::EXAMPLE-BUCKET"
	writer    = "arn:aws:iam::111122223333:role/vlens-archiver"
)

// createOnce are keys of every part of the archive that is written once.
var createOnce = []string{
	"vlens/archive.json",
	"vlens/subjects/ab/abcdefghijklmnopqrstuvwxyz/t-0123456789abcdef/id_front.0123456789abcdef.jpg",
	"vlens/subjects/ab/abcdefghijklmnopqrstuvwxyz/t-0123456789abcdef/record.0001.json",
	"vlens/runs/2026/01/02/vlens-archiver-29400000/SHA256SUMS",
	"vlens/log/tile/0/x001/234",
	"vlens/log/tile/entries/000.p/7",
	"vlens/audit/2026/01/02/1.json",
}

func TestRolePolicies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("iam/*-policy.json")
	if err != nil || len(files) != 4 {
		t.Fatalf("policies %v: %v", files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		if name == "bucket-policy.json" {
			continue
		}
		for _, s := range readPolicy(t, name).Statement {
			if s.Effect != "Allow" || s.Principal != nil {
				t.Errorf("%s %s: a role's policy allows and names nobody", name, s.Sid)
			}
			for _, action := range s.Action {
				if strings.ContainsAny(action, "*?") || strings.Contains(action, "Delete") || strings.Contains(action, "Bypass") || strings.HasPrefix(action, "s3:PutBucket") {
					t.Errorf("%s %s allows %s", name, s.Sid, action)
				}
			}
			for _, resource := range s.Resource {
				if resource == "*" || resource == bucketARN+"/*" {
					t.Errorf("%s %s reaches %s", name, s.Sid, resource)
				}
			}
		}
	}
}

func TestWriterReachesTheWholeArchive(t *testing.T) {
	t.Parallel()
	p := readPolicy(t, "writer-policy.json")
	for _, action := range []string{"s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetEncryptionConfiguration"} {
		found := p.covering("Allow", action, bucketARN)
		if len(found) != 1 || found[0].Condition != nil {
			t.Errorf("%s on the bucket: %v", action, found)
		}
	}
	for _, action := range []string{"s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObjectRetention", "s3:GetObjectRetention"} {
		for _, key := range append(createOnce, "vlens/log/checkpoint") {
			if len(p.covering("Allow", action, bucketARN+"/"+key)) != 1 {
				t.Errorf("%s on %s is not allowed", action, key)
			}
		}
		if len(p.covering("Allow", action, bucketARN+"/other/object")) != 0 {
			t.Errorf("%s is allowed outside the prefix", action)
		}
	}
}

func TestAuditorWritesOnlyTheAuditTrail(t *testing.T) {
	t.Parallel()
	p := readPolicy(t, "auditor-policy.json")
	for _, key := range append(createOnce, "vlens/log/checkpoint") {
		arn := bucketARN + "/" + key
		if len(p.covering("Allow", "s3:GetObjectVersion", arn)) == 0 {
			t.Errorf("%s cannot be read", key)
		}
		audit := strings.HasPrefix(key, "vlens/audit/")
		if got := len(p.covering("Allow", "s3:PutObject", arn)) != 0; got != audit {
			t.Errorf("writing %s is allowed: %t", key, got)
		}
	}
}

func TestBucketPolicy(t *testing.T) {
	t.Parallel()
	p := readPolicy(t, "bucket-policy.json")
	for _, s := range p.Statement {
		if s.Effect != "Deny" || s.Principal == nil {
			t.Errorf("%s: a bucket policy denies and says to whom", s.Sid)
		}
	}
	for _, key := range createOnce {
		arn := bucketARN + "/" + key
		for _, action := range []string{"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"} {
			if !denied(p, action, arn, "", "") {
				t.Errorf("the writer may %s %s", action, key)
			}
		}
		if !denied(p, "s3:PutObject", arn, "Null", "s3:if-none-match") {
			t.Errorf("%s may be written again", key)
		}
		if !denied(p, "s3:PutObjectRetention", arn, "NumericGreaterThan", "s3:object-lock-remaining-retention-days") {
			t.Errorf("%s may be locked without an end", key)
		}
		if !denied(p, "s3:GetObject", arn, "Bool", "aws:SecureTransport") {
			t.Errorf("%s may be read without TLS", key)
		}
	}
	// The checkpoint moves, but only from a known one.
	for _, s := range p.covering("Deny", "s3:PutObject", bucketARN+"/vlens/log/checkpoint") {
		null := s.Condition["Null"]
		if null["s3:if-none-match"] == "true" && null["s3:if-match"] != "true" {
			t.Errorf("%s: the checkpoint cannot move", s.Sid)
		}
	}
	if !denied(p, "s3:PutObject", bucketARN+"/vlens/log/checkpoint", "Null", "s3:if-match") {
		t.Error("the checkpoint may be replaced blindly")
	}
}

// denied says whether a statement refuses the action under the condition, or,
// with no operator, refuses it to the writer whatever the request says.
func denied(p policy, action, arn, operator, key string) bool {
	return slices.ContainsFunc(p.covering("Deny", action, arn), func(s statement) bool {
		if operator == "" {
			principal, _ := s.Principal.(map[string]any)
			return principal["AWS"] == writer && s.Condition == nil
		}
		_, found := s.Condition[operator][key]
		return s.Principal == "*" && found
	})
}
