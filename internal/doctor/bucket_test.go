package doctor

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/internal/config"
	"vlens-archiver/internal/testservices/s3server"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

func TestBucketFaults(t *testing.T) {
	t.Parallel()
	behind := func(l liar) func(*site) { return func(s *site) { s.behind(l) } }
	tryFaults(t, []fault{
		{
			name: "no such bucket", check: "bucket.access", status: Failed, text: "no such bucket", remedy: adviseBucketExists, kind: store.ErrBucketMissing,
			spoil: func(s *site) { s.cfg.Archive.Bucket = "elsewhere" },
		},
		{
			name: "unknown account", check: "bucket.access", status: Failed, text: "access denied", remedy: adviseBucketRights, kind: store.ErrDenied,
			spoil: behind(liar{accessKey: "unknown", secretKey: "unknown"}),
		},
		{
			name: "no right to list", check: "bucket.access", status: Failed, text: "access denied", remedy: adviseBucketRights, kind: store.ErrDenied,
			spoil: func(s *site) { s.allow(s.cfg.Archive.Bucket, without("s3:ListBucket")) },
		},
		{
			name: "another region", check: "bucket.access", status: Failed, text: "wrong region", remedy: adviseRegion, kind: store.ErrRegion,
			spoil: func(s *site) {
				s.cfg.Archive.Region = "eu-west-1"
				s.cfg.Archive.Endpoint = s3(s.t).Endpoint()
			},
		},
		{
			name: "any region will do", check: "bucket.region", status: Failed, text: "the bucket is in us-east-1, archive.region is eu-west-1", remedy: adviseRegion, kind: ErrMisfit,
			spoil: func(s *site) { s.cfg.Archive.Region = "eu-west-1" },
		},
		{
			name: "off", check: "bucket.versioning", status: Warning, text: "the last version only", remedy: adviseVersioning,
			spoil: func(s *site) {
				s.cfg.Archive.ObjectLock = config.ObjectLock{Mode: config.LockNone}
				s.cfg.Archive.Bucket += "-plain"
				s.makeBucket(s.cfg.Archive.Bucket, s3server.Plain)
			},
			also: []string{"config.object_lock"},
		},
		{
			name: "settings are not to be read", check: "bucket.versioning", status: Warning, text: "access denied", remedy: adviseReadSettings,
			spoil: func(s *site) { s.allow(s.cfg.Archive.Bucket, without("s3:GetBucketVersioning")) },
		},
		{
			name: "no lock", check: "bucket.lock_setting", status: Failed, text: "has no object lock, archive.object_lock.mode is governance", remedy: adviseMakeLocked, kind: ErrMisfit,
			spoil: func(s *site) {
				s.cfg.Archive.Bucket += "-versioned"
				s.makeBucket(s.cfg.Archive.Bucket, s3server.Versioned)
			},
		},
		{
			name: "locks by default", check: "bucket.lock_setting", status: Warning, text: "locks by default (governance)", remedy: adviseDefaultLock,
			spoil: func(s *site) {
				s.cfg.Archive.ObjectLock = config.ObjectLock{Mode: config.LockNone}
				_, err := s3(s.t).Client().PutObjectLockConfiguration(s.t.Context(), &awss3.PutObjectLockConfigurationInput{
					Bucket: &s.cfg.Archive.Bucket,
					ObjectLockConfiguration: &types.ObjectLockConfiguration{
						ObjectLockEnabled: types.ObjectLockEnabledEnabled,
						Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(3650)}},
					},
				})
				if err != nil {
					s.t.Fatal(err)
				}
			},
			also: []string{"config.object_lock"},
		},
		{
			// versitygw has no such setting; the answer is the one of S3.
			name: "none", check: "bucket.encryption", status: Warning, text: "as they are", remedy: adviseEncryption,
			spoil: behind(liar{instead: func(w http.ResponseWriter, r *http.Request) bool {
				if !r.URL.Query().Has("encryption") {
					return false
				}
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>`))
				return true
			}}),
		},
	})
}

func TestCanaryFaults(t *testing.T) {
	t.Parallel()
	drop := func(name, header string) func(*site) {
		return func(s *site) {
			s.behind(liar{request: func(r *http.Request) {
				if isCanary(r, name) && r.Method == http.MethodPut {
					r.Header.Del(header)
				}
			}})
		}
	}
	hide := func(prefix string) func(*site) {
		return func(s *site) {
			s.behind(liar{response: func(r *http.Response) {
				for header := range r.Header {
					if strings.HasPrefix(header, prefix) {
						r.Header.Del(header)
					}
				}
			}})
		}
	}
	answer := func(name string, fits func(*http.Request) bool, status int) func(*site) {
		return func(s *site) {
			s.behind(liar{instead: func(w http.ResponseWriter, r *http.Request) bool {
				if !isCanary(r, name) || !fits(r) {
					return false
				}
				w.WriteHeader(status)
				return true
			}})
		}
	}
	deletesVersion := func(r *http.Request) bool { return r.Method == http.MethodDelete && r.URL.Query().Has("versionId") }
	relocks := func(r *http.Request) bool { return r.URL.Query().Has("retention") }
	puts := func(r *http.Request) bool { return r.Method == http.MethodPut }

	tryFaults(t, []fault{
		{
			name: "writes again", check: "bucket.create_only", status: Failed, text: "written a second time, with the same bytes", remedy: adviseCreateOnly,
			spoil: drop("create", "If-None-Match"),
		},
		{
			name: "does not know it", check: "bucket.create_only", status: Failed, text: "HTTP 501", remedy: adviseCreateOnly,
			spoil: answer("create", puts, http.StatusNotImplemented),
		},
		{
			name: "no right to write", check: "bucket.create_only", status: Failed, text: "access denied", remedy: adviseWrite, kind: store.ErrDenied,
			spoil: func(s *site) { s.allow(s.cfg.Archive.Bucket, without("s3:PutObject")) },
		},
		{
			name: "the service fails", check: "bucket.create_only", status: Failed, text: "unavailable (HTTP 503", remedy: adviseBucketReach, kind: store.ErrUnavailable,
			spoil: answer("create", puts, http.StatusServiceUnavailable),
		},
		{
			name: "many win", check: "bucket.concurrent", status: Failed, text: "of 8 writers at once 8 were told", remedy: adviseCreateOnly,
			spoil: drop("concurrent", "If-None-Match"),
		},
		{
			name: "replaces anything", check: "bucket.replace", status: Failed, text: "an ETag that it no longer had", remedy: adviseReplace,
			spoil: drop("replace", "If-Match"),
		},
		{
			name: "takes anything", check: "bucket.checksum", status: Failed, text: "bytes were taken under the SHA-256 of others", remedy: adviseChecksum,
			spoil: drop("checksum", "X-Amz-Checksum-Sha256"),
		},
		{
			name: "does not tell", check: "bucket.checksum", status: Warning, text: "does not tell", remedy: adviseNoChecksum,
			spoil: hide("X-Amz-Checksum"),
		},
		{
			name: "forgets", check: "bucket.metadata", status: Failed, text: "of 2 metadata entries 0 came back", remedy: adviseMetadata,
			spoil: hide("X-Amz-Meta-"),
		},
		{
			// versitygw takes the header and does not answer it.
			name: "encryption is not confirmed", check: "bucket.metadata", status: Warning, text: `AES256 was asked for, the service says ""`, remedy: adviseConfirmation,
			spoil: func(s *site) { s.cfg.Archive.Encryption.Mode = config.EncryptionSSES3 },
		},
		{
			name: "can be deleted", check: "bucket.lock", status: Failed, text: "is locked (governance), and it could be deleted", remedy: adviseLock,
			spoil: answer("lock", deletesVersion, http.StatusNoContent),
		},
		{
			name: "can be shortened", check: "bucket.lock", status: Failed, text: "its lock could be shortened", remedy: adviseLock,
			spoil: answer("lock", relocks, http.StatusOK),
		},
		{
			name: "is not there", check: "bucket.lock", status: Failed, text: `the object says ""`, remedy: adviseLock,
			spoil: hide("X-Amz-Object-Lock"),
		},
		{
			name: "is not known", check: "bucket.lock", status: Failed, text: "HTTP 400", remedy: adviseMakeLocked,
			spoil: answer("lock", puts, http.StatusBadRequest),
		},
		{
			name: "no right to lock", check: "bucket.lock", status: Failed, text: "access denied", remedy: adviseLockRights, kind: store.ErrDenied,
			spoil: answer("lock", puts, http.StatusForbidden),
		},
		{
			name: "may be passed over", check: "bucket.lock", status: Warning, text: "this role may pass over it", remedy: adviseBypass,
			spoil: func(s *site) { s.behind(root(liar{})) },
			also:  []string{"bucket.delete"},
		},
		{
			name: "may delete", check: "bucket.delete", status: Warning, text: "what is deleted is hidden, and its versions stay", remedy: adviseDelete,
			spoil: func(s *site) {
				s.allow(s.cfg.Archive.Bucket, append(without(), "s3:DeleteObject", "s3:DeleteObjectVersion"))
			},
		},
		{
			name: "hidden is lost", check: "bucket.delete", status: Failed, text: "the version cannot be read", remedy: adviseHidden,
			spoil: func(s *site) {
				s.allow(s.cfg.Archive.Bucket, append(without(), "s3:DeleteObject", "s3:DeleteObjectVersion"))
				var deleted atomic.Bool
				s.behind(liar{instead: func(w http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodDelete && isCanary(r, "create") {
						deleted.Store(true)
					}
					if r.Method != http.MethodHead || !deleted.Load() {
						return false
					}
					w.WriteHeader(http.StatusNotFound)
					return true
				}})
			},
		},
	})
}

// What the examination leaves behind is what the result says.
func TestCanariesThatStay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.examine().finds("bucket.delete", OK, "5 small objects stay", "")
	left := s.versions()
	if len(left) != 5 || slices.ContainsFunc(left, func(key string) bool { return !strings.HasPrefix(key, "vlens/doctor/") }) {
		t.Errorf("in the bucket: %v", left)
	}

	s = newSite(t)
	s.allow(s.cfg.Archive.Bucket, append(without(), "s3:DeleteObject", "s3:DeleteObjectVersion"))
	s.examine().finds("bucket.delete", Warning, "1 objects stay under", adviseDelete)
	if left := s.versions(); len(left) != 1 || !strings.HasSuffix(left[0], "/lock") {
		t.Errorf("in the bucket: %v", left)
	}
}

// In compliance mode not even the owner of everything can break the lock.
func TestComplianceLock(t *testing.T) {
	t.Parallel()
	s := newSite(t).behind(root(liar{}))
	s.cfg.Archive.ObjectLock.Mode = config.LockCompliance
	s.examine().finds("bucket.lock", OK, "the lock (compliance) holds", "")
}

func TestArchiveFaults(t *testing.T) {
	t.Parallel()
	encoded := func(s *site, change func(*store.ArchiveIdentity)) []byte {
		identity := s.identity()
		change(&identity)
		content, err := manifest.EncodeArchive(identity)
		if err != nil {
			s.t.Fatal(err)
		}
		return content
	}
	tryFaults(t, []fault{
		{
			name: "another key", check: "archive.bucket", status: Failed, text: "another archive.subject_key", remedy: adviseForeign, kind: store.ErrForeignArchive,
			spoil: func(s *site) {
				s.putArchive(encoded(s, func(i *store.ArchiveIdentity) { i.KeyCheck = "other" }))
			},
			also: []string{"archive.ledger"},
		},
		{
			name: "another tenant", check: "archive.bucket", status: Failed, text: `belongs to tenant "other"`, remedy: adviseForeign, kind: store.ErrForeignArchive,
			spoil: func(s *site) {
				s.putArchive(encoded(s, func(i *store.ArchiveIdentity) { i.TenancyName = "other" }))
			},
			also: []string{"archive.ledger"},
		},
		{
			name: "unreadable", check: "archive.bucket", status: Failed, text: "decode archive.json", remedy: adviseUnreadable, kind: store.ErrForeignArchive,
			spoil: func(s *site) { s.putArchive([]byte("{")) },
		},
		{
			name: "the ledger is empty", check: "archive.ledger", status: Warning, text: "the bucket holds an archive", remedy: adviseLostLedger,
			spoil: func(s *site) { s.putArchive(encoded(s, func(*store.ArchiveIdentity) {})) },
		},
		{
			name: "another place", check: "archive.ledger", status: Failed, text: "the ledger's archive is in \"elsewhere/vlens\"", remedy: adviseForeign, kind: store.ErrForeignArchive,
			spoil: func(s *site) {
				identity := s.ownDatabases().identity()
				s.in(s.ledger, `INSERT INTO archive.archive (layout_version, origin, tenancy_name, key_check, place)
					VALUES (1, '`+identity.Origin+`', '`+identity.TenancyName+`', '`+identity.KeyCheck+`', 'elsewhere/vlens');
					INSERT INTO archive.runs (run_id, kind) VALUES ('r1', 'manual');
					INSERT INTO archive.records (subject, transaction_id, sequence, key, sha256, run_id, archived_at)
					VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaa', 't', 1, 'k', '`+strings.Repeat("a", 64)+`', 'r1', now())`)
			},
		},
	})
	s := newSite(t)
	s.putArchive(encoded(s, func(*store.ArchiveIdentity) {}))
	s.examine().finds("archive.bucket", OK, "it is the archive of this subject key", "")
}
