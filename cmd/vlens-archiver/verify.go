package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"vlens-archiver/audit"
	"vlens-archiver/audit/verify"
	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
	"vlens-archiver/internal/telemetry"
	"vlens-archiver/store"
)

// verification is what the flags of verify say.
type verification struct {
	checksums, deep bool
	sample, decode  string
	seed            string
	userID, runID   string
	verifierKey     string
	asJSON          bool
}

// usualDecode is the percentage of images whose pixels a deep check decodes:
// decoding costs several times what reading and hashing do, and tells nothing
// about whether an image is unchanged.
const usualDecode = "1%"

func (p *program) verifyCommand() *cobra.Command {
	var a verification
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that bucket, ledger and log agree, and name what is damaged",
		Long: `Compares every object with records, ledger and log, and names what is missing,
changed, hidden or unexpected. It changes nothing; it adds a statement under audit/
and a row to archive.verifications.

By default images are compared by size, ETag and version in the bucket's listing;
records, run files and the whole log are read. --checksums also asks for the
SHA-256 that S3 holds and checks locks. --deep also downloads and hashes every
image and looks whether it is whole; of a part the pixels are decoded (--decode).

Exits with 10 when something is damaged, with 0 when there are warnings only.`,
		Example: `  vlens-archiver verify
  vlens-archiver verify --deep --sample 5% --seed 2026-q1 --json
  vlens-archiver verify --user 4711 --deep`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := a.options(cmd)
			if err != nil {
				return err
			}
			return p.plain(func(ctx context.Context) error { return p.verify(ctx, cmd, a, options) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&a.checksums, "checksums", false, "also compare the SHA-256 that S3 holds of each image, and locks")
	flags.BoolVar(&a.deep, "deep", false, "also download, hash and open each image")
	flags.StringVar(&a.sample, "sample", "100%", "read records and images of `P%` of the users only; the listing, runs and the log are checked whole")
	flags.StringVar(&a.decode, "decode", usualDecode, "with --deep, decode the pixels of `P%` of the images")
	flags.StringVar(&a.seed, "seed", "", "`TEXT` that chooses both shares; the same seed chooses the same (default: a new one, which is printed)")
	flags.StringVar(&a.userID, "user", "", "check the user with this `ID` of the user query, and the log")
	flags.StringVar(&a.runID, "run", "", "check the run with this `ID`, its users, and the log")
	flags.StringVar(&a.verifierKey, "verifier-key", "", "`KEY` that the log is signed with, as keygen prints it (default: that of evidence.signing_key)")
	jsonFlag(cmd, &a.asJSON)
	return cmd
}

func (a verification) options(cmd *cobra.Command) (verify.Options, error) {
	o := verify.Options{Mode: store.VerifyDefault, RunID: a.runID, Seed: a.seed}
	if a.checksums {
		o.Mode = store.VerifyChecksums
	}
	if a.deep {
		o.Mode = store.VerifyDeep
	}
	flags := cmd.Flags()
	switch {
	case flags.Changed("user") && a.userID == "":
		return o, usage(cmd, "--user: the id is empty")
	case flags.Changed("run") && !store.ValidRunID(a.runID):
		return o, usage(cmd, badRunID("--run", a.runID))
	case flags.Changed("verifier-key") && !isVerifierKey(a.verifierKey):
		return o, usage(cmd, "--verifier-key: it is no verifier key; keygen prints one")
	case a.userID != "" && a.runID != "":
		return o, usage(cmd, "--user and --run: give one of them")
	case flags.Changed("decode") && !a.deep:
		return o, usage(cmd, "--decode goes with --deep")
	}
	for _, share := range []struct {
		flag, text string
		into       *float64
	}{{"sample", a.sample, &o.Sample}, {"decode", a.decode, &o.Decode}} {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(share.text, "%"), 64)
		if err != nil || !(percent > 0 && percent <= 100) && !(percent == 0 && share.flag == "decode") {
			return o, usage(cmd, fmt.Sprintf("--%s %q: expected a percentage such as 5%% or 0.5%%, up to 100%%", share.flag, share.text))
		}
		*share.into = percent
	}
	if o.Seed == "" {
		var drawn [8]byte
		_, _ = rand.Read(drawn[:]) // never fails
		o.Seed = hex.EncodeToString(drawn[:])
	}
	return o, nil
}

func (p *program) verify(ctx context.Context, cmd *cobra.Command, a verification, options verify.Options) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	evidence, err := app.OpenEvidence(ctx, cfg)
	if err != nil {
		return err
	}
	defer evidence.Ledger.Close()
	key, err := logKey(cmp.Or(a.verifierKey, evidence.VerifierKey))
	if err != nil {
		return err
	}
	if a.userID != "" {
		options.Subject = evidence.Key.Subject(a.userID)
	}
	options.Parallel = cfg.Worker.Concurrency
	v := &verify.Verifier{
		Options: options, Ledger: evidence.Ledger, Bucket: evidence.Bucket, Layout: evidence.Layout,
		Identity: evidence.Identity, SubjectOf: evidence.Key.Subject, LogKey: key, Tool: tool(), Actor: actor(),
	}
	// What is found is told to who watches now, and not after the next run.
	pushOnly := *cfg
	pushOnly.Telemetry.MetricsListen = ""
	measuring, err := p.startTelemetry(&pushOnly, p.logger(p.stderr), "")
	if err != nil {
		return err
	}
	defer measuring.Close(p.ctx)
	defer measuring.Follow(p.ctx, telemetry.Sources{Figures: evidence.Ledger.Figures})(p.ctx)

	hide := p.showVerify(ctx, v)
	report, err := v.Verify(ctx)
	hide()
	switch {
	case errors.Is(err, verify.ErrNoRun):
		return usage(cmd, "--run: the ledger has no run with this id")
	case err != nil:
		return err
	case options.Subject != "" && report.Counts.Images+report.Counts.Records == 0 && report.Damaged == 0:
		return usage(cmd, "--user: nothing is archived for this user; `vlens-archiver status --user ID` says why")
	}
	if a.asJSON {
		err = p.printJSON(report)
	} else {
		err = p.print(verifyText(report, cfg))
	}
	if err == nil && report.Verdict == verify.Damage {
		err = fmt.Errorf("%w: %s findings", audit.ErrDamaged, progress.Count(report.Damaged))
	}
	return err
}

func isVerifierKey(text string) bool {
	_, err := note.NewVerifier(text)
	return err == nil
}

// logKey is the key that verifies the log; nil when there is none.
func logKey(text string) (note.Verifier, error) {
	if text == "" {
		return nil, nil
	}
	return note.NewVerifier(text)
}

func (p *program) showVerify(ctx context.Context, v *verify.Verifier) (hide func()) {
	screen := progress.NewScreen(p.stderr)
	if isTerminal(p.stderr) {
		return progress.LiveVerify(screen, v.Progress)
	}
	return progress.LinesVerify(ctx, p.logger(screen), v.Progress)
}
