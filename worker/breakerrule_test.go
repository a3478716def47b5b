package worker

import (
	"errors"
	"testing"

	"vlens-archiver/store"
	"vlens-archiver/vlens"
)

// What resets the row of users who end alike, and what does not.
func TestBreakerRule(t *testing.T) {
	t.Parallel()
	known, unknown := store.Task{HasImages: true}, store.Task{}
	notFound := ending{outcome: store.OutcomeNotFound}
	noImages := ending{outcome: store.OutcomeNoImages}
	internal := failed(store.ClassInternal)
	refused := failed(store.ClassForbidden)
	refused.failure = &vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultForbidden, Status: 403, Permanent: true}
	meant := failed(store.ClassVendorError)
	meant.failure = &vlens.Error{Endpoint: vlens.EndpointList, Fault: vlens.FaultVendorError, Code: 1050, Permanent: true}
	type end struct {
		store.Task
		ending
	}
	row := func(n int, task store.Task, e ending, between ...end) []end {
		var row []end
		for range n {
			row = append(append(row, end{task, e}), between...)
		}
		return row
	}
	for name, c := range map[string]struct {
		ends []end
		trip bool
	}{
		"known users who are not found":       {row(20, known, notFound), true},
		"one fewer":                           {row(19, known, notFound), false},
		"new users who are not found":         {row(100, unknown, notFound), false},
		"new users between known ones":        {row(20, known, noImages, end{unknown, noImages}, end{unknown, notFound}), true},
		"known users end in two ways":         {row(20, known, noImages, end{known, notFound}), false},
		"one is archived in between":          {row(20, known, notFound, end{known, ending{outcome: store.OutcomeArchived}}), false},
		"nothing is new of one in between":    {row(20, known, notFound, end{known, ending{outcome: store.OutcomeUnchanged}}), false},
		"internal":                            {row(20, unknown, internal), true},
		"internal, others without identifier": {row(20, unknown, internal, end{unknown, failed(store.ClassNoIdentifier)}), true},
		"refused":                             {row(20, unknown, refused), true},
		"refused, new users are not found":    {row(20, unknown, refused, end{unknown, notFound}), false},
		"an error whose meaning is known":     {row(100, unknown, meant), false},
		"partial":                             {row(100, unknown, ending{outcome: store.OutcomePartial, class: store.ClassStorageError}), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b breaker
			tripped := false
			for _, e := range c.ends {
				err := b.watch(e.Task, e.ending)
				tripped = tripped || errors.Is(err, ErrBreaker)
			}
			if tripped != c.trip {
				t.Errorf("tripped: %t", tripped)
			}
		})
	}
}
