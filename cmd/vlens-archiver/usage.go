package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func usage(cmd *cobra.Command, problem string) error {
	return &usageError{command: cmd.CommandPath(), problem: problem}
}

// noArguments refuses what stands after the flags, without repeating it: it may
// be a user's id, or worse.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd, "it takes no arguments, only flags; a flag with an optional value is written --flag=VALUE")
	}
	return nil
}

func unknownCommand(cmd *cobra.Command, name string) error {
	problem := fmt.Sprintf("unknown command %q", name)
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(name); len(similar) > 0 {
		problem += fmt.Sprintf("; did you mean %q?", similar[0])
	}
	return usage(cmd, problem)
}
