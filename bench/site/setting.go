package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Setting is what a measurement was made with.
type Setting struct {
	Program string    `json:"program"` // its version
	Build   string    `json:"build"`   // first digits of the SHA-256 of the program's file
	Machine string    `json:"machine"`
	Servers string    `json:"servers"` // their versions
	At      time.Time `json:"at"`
	Load    float64   `json:"load"` // mean number of processes that wanted a processor in the minute before
}

// Setting is the setting of a measurement that begins now. What cannot be found
// out is left out.
func (s *Site) Setting(ctx context.Context, version, build string) Setting {
	return Setting{
		Program: version, Build: build, Machine: Machine(), Servers: s.servers(ctx),
		At: time.Now().UTC().Truncate(time.Second), Load: load(),
	}
}

// Identify is the version of a program, and which build of it this is.
func Identify(ctx context.Context, program string) (version, build string, err error) {
	said, err := exec.CommandContext(ctx, program, "version").Output()
	if err != nil {
		return "", "", fmt.Errorf("version of the program: %w", err)
	}
	version, _, _ = strings.Cut(strings.TrimSpace(string(said)), "\n")
	file, err := os.Open(program)
	if err != nil {
		return "", "", fmt.Errorf("read the program: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", "", fmt.Errorf("read the program: %w", err)
	}
	return version, hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// Machine is processors, kernel and Go.
func Machine() string {
	processor := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(info), "model name"); found {
			line, _, _ := strings.Cut(after, "\n")
			processor = strings.TrimSpace(strings.TrimLeft(line, "\t: "))
		}
	}
	kernel := runtime.GOOS
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel += " " + strings.TrimSpace(string(release))
	}
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), processor, kernel, runtime.Version())
}

func (s *Site) servers(ctx context.Context) string {
	var servers []string
	if db, err := pgx.Connect(ctx, s.Postgres.URL("postgres")); err == nil {
		var version string
		if db.QueryRow(ctx, `SHOW server_version`).Scan(&version) == nil {
			servers = append(servers, "PostgreSQL "+version)
		}
		_ = db.Close(context.WithoutCancel(ctx))
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if strings.HasPrefix(module.Path, "github.com/versity/versitygw") {
				servers = append(servers, "versitygw "+module.Version)
			}
		}
	}
	return strings.Join(servers, ", ")
}

// load is the first figure of proc(5)'s loadavg; 0 when it cannot be read.
func load() float64 {
	line, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(line), " ")
	value, _ := strconv.ParseFloat(first, 64)
	return value
}
