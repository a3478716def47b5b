// Package postgres keeps the ledger in Postgres and reads the company's users
// from Postgres.
//
// Everything works behind a pooler that gives each transaction another server
// connection: no session state outlives a transaction, there are no session
// locks and no notifications. All names are qualified with their schema. Times
// are the database's.
package postgres
