package audit

import (
	"golang.org/x/mod/sumdb/tlog"

	"vlens-archiver/store/manifest"
)

// Tree is a Merkle tree that grows entry by entry. It keeps the hashes of the
// complete subtrees at its right edge, which are all that the root needs (RFC
// 6962, section 2.1); package tlog would have every hash kept.
type Tree struct {
	size int64
	edge []tlog.Hash // the largest subtree first
}

// Size is the number of entries so far.
func (t *Tree) Size() int64 { return t.size }

// Add appends an entry. It returns the hashes of the subtrees that the entry
// completes, each a level above the one before; the first is the entry's own.
func (t *Tree) Add(entry manifest.Entry) (completed []tlog.Hash) {
	hash := manifest.LeafHash(entry)
	completed = append(completed, hash)
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.edge) - 1
		hash = tlog.NodeHash(t.edge[last], hash)
		t.edge = t.edge[:last]
		completed = append(completed, hash)
	}
	t.edge = append(t.edge, hash)
	t.size++
	return completed
}

// Root is the root hash over the entries so far.
func (t *Tree) Root() tlog.Hash {
	last := len(t.edge) - 1
	if last < 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing
		return empty
	}
	root := t.edge[last]
	for n := last - 1; n >= 0; n-- {
		root = tlog.NodeHash(t.edge[n], root)
	}
	return root
}
