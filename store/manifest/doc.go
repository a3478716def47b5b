// Package manifest holds the formats of the archive: where each object stands
// in the bucket, and the exact bytes of records, run files and archive.json. It
// does no I/O, so that whoever writes the evidence and whoever checks it can
// use it without sharing anything but the format.
package manifest
