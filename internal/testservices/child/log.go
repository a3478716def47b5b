package child

import (
	"io"
	"os"
	"strings"
)

// LogSize is the size of a log file in bytes, 0 when there is none yet.
func LogSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// LogTail is the end of what a server logged after offset, at most 4 KiB: the
// words that explain a failed start.
func LogTail(path string, offset int64) string {
	const limit = 4 << 10
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	offset = max(offset, LogSize(path)-limit)
	text, _ := io.ReadAll(io.NewSectionReader(file, offset, limit))
	return strings.TrimSpace(string(text))
}
