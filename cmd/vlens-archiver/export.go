package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"vlens-archiver/audit"
	"vlens-archiver/audit/export"
	"vlens-archiver/internal/app"
	"vlens-archiver/internal/progress"
)

// handout is what the flags of export say.
type handout struct {
	userID string
	out    string
	bagit  string
	reason string
	asJSON bool
}

func (p *program) exportCommand() *cobra.Command {
	var h handout
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Hand out one user's images and records, with proofs",
		Long: `Writes everything archived for one user to a folder or a BagIt 1.0 zip: images,
records, for each record the proof that it is in the log, and VERIFY.txt, which
says in English and Arabic how to check all of it without this program.

Without --user the program reads one line from stdin, the user's email or phone,
looks it up in the source and forgets it: an email or a phone in a command line
would stay in the shell's history and in lists of processes.

The reason goes into the access log, in the ledger and under audit/ in the bucket,
before the first image is read; it stays there for ever.`,
		Example: `  vlens-archiver export --user 4711 --bagit 4711.zip --reason "Central Bank request 2026/17"
  vlens-archiver export --out evidence --reason "court order 88/2026" < email.txt`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			place, err := h.check(cmd)
			if err != nil {
				return err
			}
			return p.plain(func(ctx context.Context) error { return p.export(ctx, cmd, h, place) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&h.userID, "user", "", "the user with this `ID` of the user query; without it an email or phone is read from stdin")
	flags.StringVar(&h.out, "out", "", "write a folder `DIR`, which must be new or empty")
	flags.StringVar(&h.bagit, "bagit", "", "write a BagIt zip `FILE`, which must not exist")
	flags.StringVar(&h.reason, "reason", "", "`TEXT` for the access log; required")
	jsonFlag(cmd, &h.asJSON)
	return cmd
}

func (h handout) check(cmd *cobra.Command) (export.Place, error) {
	if cmd.Flags().Changed("user") && h.userID == "" {
		return nil, usage(cmd, "--user: the id is empty")
	}
	if err := audit.CheckReason(h.reason); err != nil {
		return nil, usage(cmd, "--reason: "+err.Error())
	}
	switch {
	case (h.out == "") == (h.bagit == ""):
		return nil, usage(cmd, "say where to write: either --out DIR or --bagit FILE")
	case h.out != "":
		return export.Folder(h.out), nil
	}
	return export.ZipFile(h.bagit), nil
}

func (p *program) export(ctx context.Context, cmd *cobra.Command, h handout, place export.Place) error {
	cfg, err := p.loadConfig()
	if err != nil {
		return err
	}
	userID := h.userID
	if userID == "" {
		if userID, err = p.findUser(ctx, cmd, cfg); err != nil {
			return err
		}
	}
	evidence, err := app.OpenEvidence(ctx, cfg)
	if err != nil {
		return err
	}
	defer evidence.Ledger.Close()
	index, err := export.Exporter{
		Ledger:      evidence.Ledger,
		Bucket:      evidence.Bucket,
		Layout:      evidence.Layout,
		Identity:    evidence.Identity,
		VerifierKey: evidence.VerifierKey,
		Actor:       actor(),
		Tool:        tool(),
	}.Export(ctx, evidence.Key.Subject(userID), h.reason, place)
	switch {
	case errors.Is(err, export.ErrNothing):
		return usage(cmd, err.Error()+"; `vlens-archiver status --user ID` says why")
	case errors.Is(err, export.ErrPlace):
		return usage(cmd, err.Error())
	case err != nil:
		return err
	}
	if h.asJSON {
		return p.printJSON(statedExport{index, h.out + h.bagit})
	}
	return p.print(exportText(index, h.out+h.bagit))
}

// statedExport is what export prints with --json: export.json of the bag, and
// where the bag is.
type statedExport struct {
	export.Index
	Path string `json:"path"`
}

func exportText(x export.Index, place string) string {
	var text page
	text.line("%s: %s images, %s, %s records of subject %s", place, progress.Count(int64(len(x.Images))), progress.Bytes(x.Bytes()),
		progress.Count(int64(len(x.Records))), x.Subject)
	if sealed := x.Sealed(); sealed == len(x.Records) {
		text.line("every record is in the log of %s entries", progress.Count(x.Log.Size))
	} else {
		text.line("note: %d records are not in the log yet; what is exported says so", len(x.Records)-sealed)
	}
	if x.VerifierKey == nil && x.Sealed() > 0 {
		text.line("note: evidence.signing_key is not set, so the signature on the log was not checked here; VERIFY.txt says how to")
	}
	text.line("the access is logged as %s; VERIFY.txt says how to check the evidence", x.ID)
	return text.String()
}
