// Package app opens what the programs work with, as the configuration says:
// databases, bucket, the client of Vlens and the quota in front of it. It is
// the only place where these meet.
package app
