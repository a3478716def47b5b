package vlenstest

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// User is a row of the company's user table: what it knows of a person, in
// the forms companies keep it in.
type User struct {
	ID            string    `json:"id"`
	Email         string    `json:"email"`          // "" for none
	Phone         string    `json:"phone"`          // E.164 or local, "" for none
	TransactionID string    `json:"transaction_id"` // "" for none
	VerifiedAt    time.Time `json:"verified_at"`
}

// Users yields the rows of all people of the tenant in the order of their ids.
func (s *Server) Users() iter.Seq[User] {
	return func(yield func(User) bool) {
		scenario := s.scenario.Load()
		for index := range s.people.size {
			if !yield(s.user(scenario, index+1)) {
				return
			}
		}
	}
}

// localEvery is which full rows have the phone as Egyptians write it.
const localEvery = 5

func (s *Server) user(scenario *Scenario, index int) User {
	person, rules := s.person(scenario, index)
	user := User{
		ID:            person.ID,
		Email:         person.Email,
		Phone:         person.Phone,
		TransactionID: person.TransactionID,
		VerifiedAt:    person.VerifiedAt,
	}
	if rules.PhoneOf != "" {
		user.Phone = s.people.phone(s.people.indexOfID(rules.PhoneOf))
	}
	switch rules.Row {
	case "", "full":
		if index%localEvery == 0 {
			user.Phone = localForm(user.Phone)
		}
	case "local_phone":
		user.Phone = localForm(user.Phone)
	case "no_phone":
		user.Phone = ""
	case "no_email":
		user.Email = ""
	case "no_identifier":
		user.Phone, user.Email = "", ""
	case "no_transaction":
		user.TransactionID = ""
	case "upper_transaction":
		user.TransactionID = strings.ToUpper(user.TransactionID)
	}
	return user
}

// localForm is the number as dialled inside Egypt: 01001234567.
func localForm(phone string) string { return "0" + strings.TrimPrefix(phone, "+20") }

// UsersCSV writes all user rows with a header: id, email, phone,
// transaction_id, verified_at (RFC 3339, UTC). It fits PostgreSQL's
// COPY … WITH (FORMAT csv, HEADER true), which reads an empty field as NULL.
func (s *Server) UsersCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := func(yield func([]string) bool) {
		if !yield([]string{"id", "email", "phone", "transaction_id", "verified_at"}) {
			return
		}
		for u := range s.Users() {
			if !yield([]string{u.ID, u.Email, u.Phone, u.TransactionID, u.VerifiedAt.Format(time.RFC3339)}) {
				return
			}
		}
	}
	for row := range rows {
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write user rows: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write user rows: %w", err)
	}
	return nil
}

// Person is the person with a user id, as the scenario in force has them.
func (s *Server) Person(id string) (Person, bool) {
	index := s.people.indexOfID(id)
	if index == 0 {
		return Person{}, false
	}
	person, _ := s.person(s.scenario.Load(), index)
	return person, true
}
