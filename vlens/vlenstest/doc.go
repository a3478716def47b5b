// Package vlenstest is a Vlens tenant made of synthetic people: a server that
// speaks the HTTP API of docs.vlenseg.com well enough that a client cannot
// tell, including its quota, its contradictions and its bad days.
//
// Everything follows from a seed, so two servers with the same options give
// the same people, the same pictures and the same answers. No person, number
// or face in it is real, and every picture says SPECIMEN.
//
// # Use
//
// New makes a server; it is an http.Handler, Serve runs it on a listener, and
// Run starts one for a test. A Scenario says how the tenant behaves, for
// everyone and for single users; Behaviours lists all it can say.
//
// # Looking inside
//
// Tests in the same process call Log, Counters, ListRequests, ImageRequests,
// Windows, InFlightPeak, Users and Expected. Other processes ask over HTTP,
// outside the quota and without credentials:
//
//	GET  /_sim/counters               requests by endpoint and status, both quota windows, peaks
//	GET  /_sim/log                    the last requests, oldest first, one JSON object a line
//	GET  /_sim/people?from=1&n=100    user rows and what must become of them, one JSON object a line;
//	                                  images=true adds the SHA-256 and size of every image
//	GET  /_sim/users.csv              all user rows, as UsersCSV writes them
//	GET  /_sim/scenario               the scenario in force, as YAML
//	POST /_sim/scenario               replaces it; the body is YAML or JSON
package vlenstest
