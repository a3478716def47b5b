package audit

import (
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

var trees = compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}

// NewTree is an empty Merkle tree that grows by the hashes of leaves. It keeps only
// the hashes at its right edge, where package tlog would have every hash kept.
func NewTree() *compact.Range { return trees.NewEmptyRange(0) }

// RootOf is the root hash of a tree that NewTree has made.
func RootOf(tree *compact.Range) tlog.Hash {
	root, err := tree.GetRootHash(nil)
	if err != nil || root == nil {
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	return tlog.Hash(root)
}
