package verify

// field is one thing that the ledger says of an object as the object itself does.
type field struct {
	name string
	same bool
}

// differing names the first that is not the same; "" when there is none.
func differing(fields ...field) string {
	for _, field := range fields {
		if !field.same {
			return field.name
		}
	}
	return ""
}
