package doctor

import (
	"context"

	"vlens-archiver/store/manifest"
)

const (
	adviseNoKey     = "make a key with `vlens-archiver keygen` and keep a copy; until then the log of the archive is not signed"
	adviseKey       = "set evidence.signing_key to what `vlens-archiver keygen` printed, whole"
	adviseKeyOrigin = "make the key with `vlens-archiver keygen --origin` and the value of evidence.origin, or correct evidence.origin"
)

func evidenceChecks() []check {
	return []check{{
		name: "evidence.signing_key", tried: "read the signing key and compare its name with evidence.origin",
		remedies: []string{adviseNoKey, adviseKey, adviseKeyOrigin}, needs: []string{configFile},
		run: (*examination).readSigningKey,
	}}
}

func (e *examination) readSigningKey(context.Context) finding {
	evidence := e.cfg.Evidence
	if evidence.SigningKey == "" {
		return warn(adviseNoKey, "there is none")
	}
	key, err := manifest.ParseSigningKey(evidence.SigningKey)
	if err != nil {
		return misfit(adviseKey, "evidence.signing_key is no signing key")
	}
	if key.Origin() != evidence.Origin {
		return misfit(adviseKeyOrigin, "the key is for the log %q, evidence.origin is %q", key.Origin(), evidence.Origin)
	}
	return ok("it signs for %q", key.Origin()).with("verifier_key", key.VerifierKey())
}
