package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"vlens-archiver/internal/config"
	"vlens-archiver/store/manifest"
)

func (p *program) keygenCommand() *cobra.Command {
	var origin string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "keygen",
		Short: "Make a key pair for the evidence log",
		Long: `Draws an Ed25519 key pair: one half signs the checkpoints of the evidence log, the
other checks them. It is printed and kept nowhere. A log keeps its key for good, so
make one when you set the archive up, or when you want it to be sealed from now on.`,
		Example: `  vlens-archiver keygen
  vlens-archiver keygen --origin acme.example/vlens-archive --json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("origin") && !config.ValidOrigin(origin) {
				return usage(cmd, fmt.Sprintf("--origin %q: expected a name such as acme.example/vlens-archive, without spaces, plus signs or scheme", origin))
			}
			return p.keygen(origin, asJSON)
		},
	}
	cmd.Flags().StringVar(&origin, "origin", "", "`NAME` of the log (default: evidence.origin of the configuration)")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// keyPair is what keygen prints with --json.
type keyPair struct {
	SigningKey  string `json:"signing_key"`
	VerifierKey string `json:"verifier_key"`
}

func (p *program) keygen(origin string, asJSON bool) error {
	if origin == "" {
		var err error
		if origin, err = p.configuredOrigin(); err != nil {
			return fmt.Errorf("read evidence.origin (--origin NAME does without a configuration): %w", err)
		}
	}
	signing, err := manifest.GenerateSigningKey(origin)
	if err != nil {
		return err
	}
	key, err := manifest.ParseSigningKey(signing)
	if err != nil {
		return err
	}
	pair := keyPair{SigningKey: signing.Reveal(), VerifierKey: key.VerifierKey()}
	if asJSON {
		return p.printJSON(pair)
	}
	return p.print(keyText(origin, pair))
}

// configuredOrigin is evidence.origin. A variable that is not set counts as
// empty: the one for the key that is about to be made is missing as a rule.
func (p *program) configuredOrigin() (string, error) {
	cfg, err := config.Load(p.configFile, func(name string) (string, bool) {
		value, _ := p.env(name)
		return value, true
	})
	if err != nil {
		return "", err
	}
	return cfg.Evidence.Origin, nil
}

func keyText(origin string, pair keyPair) string {
	var text page
	text.line("A new key pair for the log %s. It is kept nowhere but here.", origin)
	text.line("")
	text.line("signing key, a secret:")
	text.line("  %s", pair.SigningKey)
	text.line("verifier key, no secret:")
	text.line("  %s", pair.VerifierKey)
	text.line("")
	text.line("What to do next:")
	text.line("1. Keep the signing key where you keep secrets, with a copy: a log cannot change its key.")
	text.line("2. Set evidence.signing_key to it, as ${EVIDENCE_SIGNING_KEY} or ${file:/run/secrets/name}.")
	text.line("   The next run seals all that is archived.")
	text.line("3. Give the verifier key to those who are to check the archive, and publish it outside the bucket.")
	text.line("   docs/evidence.md says how they check.")
	return text.String()
}
