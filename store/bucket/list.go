package bucket

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"vlens-archiver/store"
)

// List yields the latest versions of the objects whose keys start with prefix,
// in the order of their keys, with Key, ETag, Size and LastModified. It holds one
// page (1,000 objects) at a time. An error is the last that it yields.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.config.Bucket, Prefix: &prefix})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(store.Object{}, b.failed(opList, prefix, err))
				return
			}
			for _, found := range page.Contents {
				if !yield(store.Object{
					Key:          aws.ToString(found.Key),
					ETag:         unquoted(found.ETag),
					Size:         aws.ToInt64(found.Size),
					LastModified: aws.ToTime(found.LastModified),
				}, nil) {
					return
				}
			}
		}
	}
}

// ListVersions yields all versions and delete markers of the keys that start
// with prefix, in the order of the keys, each key's latest version first and the
// others newest first, as far as times of one second tell. It holds one page
// at a time. An error is the last that it yields.
func (b *Bucket) ListVersions(ctx context.Context, prefix string) iter.Seq2[store.Object, error] {
	return func(yield func(store.Object, error) bool) {
		pages := s3.NewListObjectVersionsPaginator(b.client, &s3.ListObjectVersionsInput{Bucket: &b.config.Bucket, Prefix: &prefix})
		var border []store.Object // of the page before
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(store.Object{}, b.failed(opListVersions, prefix, err))
				return
			}
			objects := versionsOf(page)
			for _, object := range objects {
				if repeated(border, object) {
					continue
				}
				if !yield(object, nil) {
					return
				}
			}
			border = lastKey(objects)
		}
	}
}

// versionsOf merges the two lists into which the SDK splits a page.
func versionsOf(page *s3.ListObjectVersionsOutput) []store.Object {
	objects := make([]store.Object, 0, len(page.Versions)+len(page.DeleteMarkers))
	for _, version := range page.Versions {
		objects = append(objects, versionOf(version))
	}
	for _, marker := range page.DeleteMarkers {
		objects = append(objects, store.Object{
			Key:          aws.ToString(marker.Key),
			VersionID:    store.KnownVersion(aws.ToString(marker.VersionId)),
			LastModified: aws.ToTime(marker.LastModified),
			Latest:       aws.ToBool(marker.IsLatest),
			DeleteMarker: true,
		})
	}
	slices.SortStableFunc(objects, func(a, b store.Object) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), latestFirst(a, b), b.LastModified.Compare(a.LastModified))
	})
	return objects
}

func versionOf(version types.ObjectVersion) store.Object {
	return store.Object{
		Key:          aws.ToString(version.Key),
		VersionID:    store.KnownVersion(aws.ToString(version.VersionId)),
		ETag:         unquoted(version.ETag),
		Size:         aws.ToInt64(version.Size),
		LastModified: aws.ToTime(version.LastModified),
		Latest:       aws.ToBool(version.IsLatest),
	}
}

func latestFirst(a, b store.Object) int {
	switch {
	case a.Latest == b.Latest:
		return 0
	case a.Latest:
		return -1
	default:
		return 1
	}
}

// lastKey returns the objects of the last key of a page. Some services
// (versitygw) repeat one of them at the start of the next.
func lastKey(objects []store.Object) []store.Object {
	if len(objects) == 0 {
		return nil
	}
	last := objects[len(objects)-1].Key
	first, _ := slices.BinarySearchFunc(objects, last, func(o store.Object, key string) int { return cmp.Compare(o.Key, key) })
	return objects[first:]
}

func repeated(border []store.Object, object store.Object) bool {
	return slices.ContainsFunc(border, func(o store.Object) bool {
		return o.Key == object.Key && o.VersionID == object.VersionID
	})
}
