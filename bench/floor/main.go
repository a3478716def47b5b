// Command floor does what no archiver can do without, and nothing else: it
// receives the bodies of a plan and uploads an image that is ready, over
// net/http, with a fixed number of connections. It parses nothing, decodes
// nothing, and hashes each upload once, for its signature.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"
)

func main() {
	var f floor
	flag.StringVar(&f.base, "base", "", "`URL` of the tenant")
	flag.StringVar(&f.endpoint, "endpoint", "", "`URL` of the S3 service")
	flag.StringVar(&f.bucket, "bucket", "", "where the objects go")
	flag.StringVar(&f.region, "region", "us-east-1", "of the bucket")
	plan := flag.String("plan", "", "`FILE` with a path to get and, behind a tab, a key to put on each line; an empty key puts nothing")
	inFlight := flag.Int("in-flight", 16, "how many lines of the plan at a time")
	flag.Parse()
	f.token = os.Getenv("VLENS_TOKEN")
	f.apiKey, f.tenancy = os.Getenv("VLENS_API_KEY"), os.Getenv("VLENS_TENANCY")
	f.connect(*inFlight)

	if err := f.work(context.Background(), *plan, *inFlight); err != nil {
		fmt.Fprintf(os.Stderr, "floor: %v\n", err)
		os.Exit(1)
	}
}

// work does all lines of the plan, some at a time.
func (f *floor) work(ctx context.Context, plan string, inFlight int) error {
	steps, err := readPlan(plan)
	if err != nil {
		return err
	}
	if len(steps) == 0 {
		return nil
	}
	image, err := f.readyImage(ctx, steps)
	if err != nil {
		return err
	}
	queue := make(chan step)
	group, working := errgroup.WithContext(ctx)
	for range inFlight {
		group.Go(func() error {
			w := worker{floor: f, image: append([]byte(nil), image...)}
			for s := range queue {
				if err := w.do(working, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(queue)
		for _, s := range steps {
			select {
			case queue <- s:
			case <-working.Done():
				return working.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// readyImage is the first image of the plan, decoded.
func (f *floor) readyImage(ctx context.Context, steps []step) ([]byte, error) {
	for _, s := range steps {
		if s.key == "" {
			continue
		}
		body, err := f.get(ctx, s.path, nil)
		if err != nil {
			return nil, err
		}
		var answer struct {
			Data struct {
				Image string `json:"image"`
			} `json:"data"`
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, fmt.Errorf("read the ready image: %w", err)
		}
		image, err := base64.StdEncoding.DecodeString(answer.Data.Image)
		if err != nil {
			return nil, fmt.Errorf("read the ready image: %w", err)
		}
		return image, nil
	}
	return nil, errors.New("the plan uploads nothing")
}
