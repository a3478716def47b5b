package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"golang.org/x/sync/errgroup"

	"vlens-archiver/store"
	"vlens-archiver/store/bucket"
	"vlens-archiver/store/manifest"
)

// copies is how many objects are copied at once.
const copies = 8

// copyBucket copies all objects under the prefix, under the keys that
// SHA256SUMS uses, and gives each image a second name that people can read.
func copyBucket(ctx context.Context, from *bucket.Bucket, layout manifest.Layout, folder *os.Root) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(copies)
	for object, err := range from.List(groupCtx, layout.Prefix+"/") {
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error {
			target := path.Join(bucketDir, layout.Relative(object.Key))
			if err := copyObject(groupCtx, from, object, folder, target); err != nil {
				return err
			}
			return nameImage(layout, object.Key, folder, target)
		})
	}
	return group.Wait()
}

func copyObject(ctx context.Context, from *bucket.Bucket, object store.Object, folder *os.Root, target string) error {
	body, _, err := from.Get(ctx, object.Key, "")
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	return writeFile(folder, target, func(file io.Writer) error {
		_, err := io.Copy(file, body)
		return err
	})
}

// nameImage links an image as images/SUBJECT/TRANSACTION/KIND.EXTENSION.
func nameImage(layout manifest.Layout, key string, folder *os.Root, target string) error {
	object, ok := layout.ParseSubjectObject(key)
	if !ok || object.Kind == "" {
		return nil
	}
	name := path.Join(imagesDir, string(object.Subject), object.Transaction, string(object.Kind)+"."+object.Extension)
	if err := folder.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("name an image: %w", err)
	}
	if err := folder.Link(target, name); err != nil {
		return fmt.Errorf("name an image: %w", err)
	}
	return nil
}

// writeFile makes a file and the folders above it.
func writeFile(folder *os.Root, name string, fill func(io.Writer) error) error {
	if err := folder.MkdirAll(path.Dir(name), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	file, err := folder.Create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := errors.Join(fill(file), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
