// Command versitygw is the S3 server of the tests and the demo: a real one that
// checks signatures and checksums, keeps versions and enforces object locks, but
// never syncs to disk. Package s3server starts it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
	"github.com/versity/versitygw/s3api"

	"vlens-archiver/internal/testservices/s3server"
)

// readyDescriptor is the pipe on which the server says that it listens: the
// first of exec.Cmd.ExtraFiles.
const readyDescriptor = 3

func main() {
	fmt.Fprintln(os.Stderr, "s3server:", serve(os.Args[1]))
	os.Exit(1) // it serves until it is killed; any end of its own is a failure
}

func serve(encoded string) error {
	var options s3server.Options
	if err := json.Unmarshal([]byte(encoded), &options); err != nil {
		return fmt.Errorf("read options: %w", err)
	}
	dirs := map[string]string{}
	for _, name := range []string{"objects", "versions", "accounts"} {
		dirs[name] = filepath.Join(options.Dir, name)
		if err := os.MkdirAll(dirs[name], 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	if err := (meta.XattrMeta{}).Test(dirs["objects"]); err != nil {
		return fmt.Errorf("%s is on a file system without extended attributes: choose another directory: %w", options.Dir, err)
	}
	backend, err := posix.New(dirs["objects"], meta.XattrMeta{}, posix.PosixOpts{
		VersioningDir:       dirs["versions"],
		CopyObjectThreshold: 5 << 30, // bytes, the limit of S3
	})
	if err != nil {
		return fmt.Errorf("open storage: %w", err)
	}
	return embedgw.RunVersityGW(context.Background(), backend, &embedgw.Config{
		RootUserAccess:    options.AccessKey,
		RootUserSecret:    options.SecretKey,
		Region:            s3server.Region,
		Ports:             []string{options.Addr},
		MaxConnections:    4096,
		MaxRequests:       4096,
		MultipartMaxParts: 10_000,
		KeepAlive:         true,
		Quiet:             true,
		// Without accounts an unknown access key would be answered as 404.
		IAMDir: dirs["accounts"],
		// The defaults of versitygw's own command, in seconds. An interval of zero
		// would prune the cache without a pause, on a processor of its own.
		IAMCacheTTL:   120,
		IAMCachePrune: 3600,
		S3Options:     []s3api.Option{s3api.WithOnListen(tellReady)},
	})
}

func tellReady() {
	pipe := os.NewFile(readyDescriptor, "ready")
	_, _ = pipe.Write([]byte{1}) // fails only when nobody waits any more
	_ = pipe.Close()
}
