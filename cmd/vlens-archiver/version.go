package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"vlens-archiver/store/manifest"
)

// Stamped by the linker: -ldflags "-X main.version=… -X main.commit=…". A build
// without the flags knows them from the module or the checkout, if at all.
var (
	version string
	commit  string
)

// tool says which build this is, in the words of a record.
func tool() manifest.Tool {
	built := manifest.Tool{Version: version, Commit: commit}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	if built.Version == "" {
		built.Version = info.Main.Version
	}
	if built.Version == "" {
		built.Version = "(devel)"
	}
	if built.Commit == "" {
		built.Commit = checkout(info.Settings)
	}
	return built
}

// checkout is the commit that a build without the flags was made from, with
// "-dirty" when files were changed since.
func checkout(settings []debug.BuildSetting) string {
	commit, changed := "unknown", ""
	for _, setting := range settings {
		switch {
		case setting.Key == "vcs.revision":
			commit = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			changed = "-dirty"
		}
	}
	return commit + changed
}

func (p *program) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Example: "  vlens-archiver version --json",
		Args:    noArguments,
		RunE: p.plain(func(context.Context) error {
			built := tool()
			if asJSON {
				return p.printJSON(struct {
					manifest.Tool
					Go string `json:"go"`
				}{built, runtime.Version()})
			}
			return p.print(fmt.Sprintf("%s %s (commit %s, %s)\n", programName, built.Version, built.Commit, runtime.Version()))
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}
