// Package store is the vocabulary of the archive: the words for users, images,
// records and runs that every other package shares, the failure classes with
// what each means for the next attempt, and the sentinels by which storage
// says what went wrong. It does no I/O and imports only the standard library.
package store
