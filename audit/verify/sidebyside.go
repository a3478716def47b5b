package verify

import (
	"fmt"
	"iter"
)

// sideBySide goes through two sequences that are in the same order, and passes on
// what belongs together; nil stands for what only the other one has. It reads
// from the ledger first: what that has, the bucket must have by then.
func sideBySide[L, B any](ledger iter.Seq2[L, error], bucket iter.Seq2[B, error], compare func(L, B) int, check func(*L, *B) error) error {
	next, stop := iter.Pull2(ledger)
	defer stop()
	row, err, more := next()
	if err != nil {
		return err
	}
	// passOn checks the row, and reads the next one.
	passOn := func(object *B) error {
		if err := check(&row, object); err != nil {
			return err
		}
		row, err, more = next()
		return err
	}
	for object, err := range bucket {
		if err != nil {
			return err
		}
		for more && compare(row, object) < 0 {
			if err := passOn(nil); err != nil {
				return err
			}
		}
		if more && compare(row, object) == 0 {
			err = passOn(&object)
		} else {
			err = check(nil, &object)
		}
		if err != nil {
			return err
		}
	}
	for more {
		if err := passOn(nil); err != nil {
			return err
		}
	}
	return nil
}

// lineByLine compares the lines of a file with the rows of the ledger that it must
// state, in the same order. problem is what is wrong with the file; an err ends the
// verification.
func lineByLine[Row, Line any](rows iter.Seq2[Row, error], due func(Row) string, lines iter.Seq2[Line, error], named func(Line) string, compare func(Row, Line) error) (problem, err error) {
	next, stop := iter.Pull2(lines)
	defer stop()
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		line, problem, more := next()
		switch {
		case problem != nil:
			return problem, nil
		case !more:
			return fmt.Errorf("it lacks %q", due(row)), nil
		case named(line) != due(row):
			return fmt.Errorf("it has %q where %q is due", named(line), due(row)), nil
		}
		if problem := compare(row, line); problem != nil {
			return problem, nil
		}
	}
	line, problem, more := next()
	if more && problem == nil {
		problem = fmt.Errorf("it has %q, which the ledger does not give to the run", named(line))
	}
	return problem, nil
}
