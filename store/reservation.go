package store

import "strings"

// UnnamedPrefix begins the folder of a transaction for which the vendor gives no
// id.
const UnnamedPrefix = "t-"

// NamedTransaction reports whether the vendor gave the transaction its id.
func NamedTransaction(transaction string) bool {
	return transaction != "" && !strings.HasPrefix(transaction, UnnamedPrefix)
}

// Reservation names what two users must not share: the transaction, or, where
// the vendor names none, its first image, which the vendor then knows by its file
// name alone. It is "" when neither is known.
func Reservation(transaction string, first Ref) string {
	switch {
	case NamedTransaction(transaction):
		return transaction
	case first != "":
		return "ref-" + string(first)
	}
	return ""
}
