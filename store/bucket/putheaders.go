package bucket

import (
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithytime "github.com/aws/smithy-go/time"
)

// headersOf are the headers that the SDK makes of the fields that putInput sets.
func headersOf(input *s3.PutObjectInput) http.Header {
	header := make(http.Header, 16)
	set := func(name, value string) { header[name] = []string{value} }
	optional := func(name string, value *string) {
		if value != nil {
			set(name, *value)
		}
	}
	optional("Content-Type", input.ContentType)
	optional("If-None-Match", input.IfNoneMatch)
	optional("If-Match", input.IfMatch)
	optional("X-Amz-Checksum-Sha256", input.ChecksumSHA256)
	optional("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", input.SSEKMSKeyId)
	if input.ServerSideEncryption != "" {
		set("X-Amz-Server-Side-Encryption", string(input.ServerSideEncryption))
	}
	if input.BucketKeyEnabled != nil {
		set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", strconv.FormatBool(*input.BucketKeyEnabled))
	}
	if input.ObjectLockMode != "" {
		set("X-Amz-Object-Lock-Mode", string(input.ObjectLockMode))
	}
	if input.ObjectLockRetainUntilDate != nil {
		set("X-Amz-Object-Lock-Retain-Until-Date", smithytime.FormatDateTime(*input.ObjectLockRetainUntilDate))
	}
	for name, value := range input.Metadata {
		header.Set("X-Amz-Meta-"+name, value)
	}
	return header
}
