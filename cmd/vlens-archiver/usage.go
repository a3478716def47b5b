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

// refuseHelpForNothing makes help on a command that does not exist a mistake, not
// the help on the commands above it. After the call the result has it, or nil:
// what is asked with --help passes no other check.
func refuseHelpForNothing(root *cobra.Command) *error {
	var misnamed error
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if rest := cmd.Flags().Args(); cmd.HasSubCommands() && len(rest) > 0 {
			misnamed = unknownCommand(cmd, rest[0])
			return
		}
		show(cmd, args)
	})
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				above, rest, err := cmd.Root().Find(args)
				if err == nil && above.HasSubCommands() && len(rest) > 0 {
					return unknownCommand(above, rest[0])
				}
				return nil
			}
		}
	}
	return &misnamed
}
