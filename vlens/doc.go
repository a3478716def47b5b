// Package vlens is a client of the Vlens API: it lists the identity images of
// a user and fetches them.
//
// The vendor's documentation (docs.vlenseg.com) contradicts itself in places
// and is silent in others, so the client takes every shape that the documents,
// the public SDKs and the framework behind the API suggest, and answers with
// either a value or a typed Error. It never guesses in silence.
//
// A Client logs in by itself, shares one token among all goroutines, respects
// a quota that may be shared with other processes, bounds the memory of bodies
// in flight, and follows no redirect. Emails, phones, file names, tokens and
// whatever the vendor writes into messages stay out of its errors.
package vlens
