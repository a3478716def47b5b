package testservices

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is whom PostgreSQL runs as when this program is root, whom the
// server refuses. A nil account means: as ourselves.
type account struct {
	name     string
	uid, gid int
}

func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr == nil && gidErr == nil {
			return &account{name: name, uid: uid, gid: gid}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody: run as another user")
}

func (a *account) credential() *syscall.Credential {
	if a == nil {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(path, a.uid, a.gid); err != nil {
		return fmt.Errorf("give %s to user %s: %w", path, a.name, err)
	}
	return nil
}

// letThrough makes the directories above path passable for the account: the
// directories of testing.T.TempDir are closed to others. Only directories for
// temporary files are opened; one elsewhere is for its owner to open.
func (a *account) letThrough(path string) error {
	if a == nil {
		return nil
	}
	temporary := filepath.Clean(os.TempDir()) + string(filepath.Separator)
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("look at the way to %s: %w", path, err)
		}
		if a.passes(info) {
			continue
		}
		if !strings.HasPrefix(dir, temporary) {
			return fmt.Errorf("user %s cannot reach %s: %s is closed to others; choose a directory below %s", a.name, path, dir, os.TempDir())
		}
		if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
			return fmt.Errorf("open the way to %s: %w", path, err)
		}
	}
	return nil
}

func (a *account) passes(info os.FileInfo) bool {
	if info.Mode().Perm()&0o001 != 0 {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == a.uid && info.Mode().Perm()&0o100 != 0
}
