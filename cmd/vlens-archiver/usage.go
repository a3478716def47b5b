package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// usageError is a command line that cannot be understood.
type usageError struct {
	command string // as in "vlens-archiver run"
	problem string
}

// Error says what is wrong with the command line.
func (e *usageError) Error() string { return e.command + ": " + e.problem }

func usage(cmd *cobra.Command, problem string) error {
	return &usageError{command: cmd.CommandPath(), problem: problem}
}

// noArguments refuses arguments without repeating them: one may be a user's id.
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

// refuseUnknownHelp makes help on a command that does not exist an error; cobra
// would show the help of its parent and succeed. A help function returns nothing,
// so the error of "WRONG --help" is in the result once root was executed.
func refuseUnknownHelp(root *cobra.Command) *error {
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
				parent, rest, err := cmd.Root().Find(args)
				if err == nil && parent.HasSubCommands() && len(rest) > 0 {
					return unknownCommand(parent, rest[0])
				}
				return nil
			}
		}
	}
	return &misnamed
}
