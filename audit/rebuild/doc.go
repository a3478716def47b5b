// Package rebuild fills a lost ledger from what is stored in the bucket.
package rebuild
