package rebuild

import (
	"context"
	"slices"

	"vlens-archiver/audit"
	"vlens-archiver/store"
	"vlens-archiver/store/manifest"
)

// outcomesAtOnce is how many lines of a manifest are in memory at a time.
const outcomesAtOnce = 2000

// addOutcomes reads a run's manifest as a stream. Its hash is known only at the
// end, after its outcomes were added: so it is read twice, first for its hash.
func (r *Rebuilder) addOutcomes(ctx context.Context, runID string, folder runFolder, stated map[string]string) error {
	key := folder.prefix + manifest.RunManifest
	if err := r.checkRunFile(ctx, folder, manifest.RunManifest, stated); err != nil {
		return err
	}
	body, err := r.openRunFile(ctx, folder, manifest.RunManifest)
	if err != nil {
		return err
	}
	defer body.Close()
	var outcomes []store.RebuiltOutcome
	for line, err := range audit.ManifestLines(body) {
		if err != nil {
			return audit.Broken(key, err)
		}
		outcome := r.outcomeOf(line)
		if !validOutcome(outcome) {
			return audit.Damaged(key, "it has a line that states no outcome of a subject")
		}
		outcomes = append(outcomes, outcome)
		if len(outcomes) == outcomesAtOnce {
			if err := r.flushOutcomes(ctx, runID, outcomes); err != nil {
				return err
			}
			outcomes = outcomes[:0]
		}
	}
	return r.flushOutcomes(ctx, runID, outcomes)
}

func (r *Rebuilder) flushOutcomes(ctx context.Context, runID string, outcomes []store.RebuiltOutcome) error {
	r.progress.outcomes.Add(int64(len(outcomes)))
	return r.Ledger.AddOutcomes(ctx, runID, outcomes)
}

// outcomeOf reads a line of a manifest. A folder without an id of the vendor's
// is in no field, but in the keys of what is in it.
func (r *Rebuilder) outcomeOf(line manifest.Line) store.RebuiltOutcome {
	outcome := store.RebuiltOutcome{
		Subject: line.Subject, Outcome: line.Outcome, Class: audit.OrEmpty(line.Class), Transaction: audit.OrEmpty(line.TransactionID),
		RecordKey: audit.OrEmpty(line.RecordKey), RecordSHA256: audit.OrEmpty(line.RecordSHA256), State: line.State, Requests: line.Requests,
	}
	keys := []string{outcome.RecordKey}
	for _, image := range line.Images {
		keys = append(keys, audit.OrEmpty(image.Key))
	}
	for _, key := range keys {
		if parts, ours := r.Layout.ParseSubjectObject(key); ours && outcome.Transaction == "" {
			outcome.Transaction = parts.Transaction
		}
	}
	return outcome
}

func validOutcome(o store.RebuiltOutcome) bool {
	needsClass := o.Outcome == store.OutcomeFailed || o.Outcome == store.OutcomePartial
	return validSubject.MatchString(string(o.Subject)) && slices.Contains(store.Outcomes, o.Outcome) &&
		(o.State == "" || slices.Contains(store.States, o.State)) &&
		(o.Class != store.ClassNone || !needsClass) && o.Requests >= 0 && (o.RecordSHA256 == "" || validSHA256.MatchString(o.RecordSHA256))
}
