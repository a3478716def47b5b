package vlenstest

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestEveryIdentifierLeadsBack(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{0, 1, 1 << 63} {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			everyone := population{seed: seed, size: 1_000_000}
			phones := map[string]bool{}
			random := rand.New(rand.NewPCG(seed, 7))
			for range 5_000 {
				index := 1 + random.IntN(everyone.size)
				person := everyone.person(index, 1+random.IntN(3))
				gotIndex, gotVerification, ok := everyone.indexOfTransaction(person.TransactionID)
				if !ok || gotIndex != index || gotVerification != person.Verification {
					t.Fatalf("transaction of %d/%d leads to %d/%d", index, person.Verification, gotIndex, gotVerification)
				}
				for what, got := range map[string]int{
					"id":    everyone.indexOfID(person.ID),
					"phone": everyone.indexOfPhone(person.Phone),
					"email": everyone.indexOfEmail(person.Email),
					"file":  everyone.indexOfFile(person.FileName(Face3)),
				} {
					if got != index {
						t.Fatalf("%s of %d leads to %d", what, index, got)
					}
				}
				phones[person.Phone[:5]] = true
			}
			if len(phones) != len(operators) {
				t.Errorf("operators used: %v", phones)
			}
		})
	}
}

func TestSmallPopulationKnowsNobodyElse(t *testing.T) {
	t.Parallel()
	many, few := population{seed: 3, size: 1000}, population{seed: 3, size: 10}
	person := many.person(11, 1)
	_, _, ok := few.indexOfTransaction(person.TransactionID)
	if ok || few.find(person.Phone) != 0 || few.find(person.Email) != 0 || few.indexOfID(person.ID) != 0 || few.indexOfFile(person.FileName(IDBack)) != 0 {
		t.Error("the eleventh of ten is known")
	}
	for _, id := range []string{"", "u-", "u-0", "u-1", "u-0000001", "u--00001", "000001"} {
		if few.indexOfID(id) != 0 {
			t.Errorf("id %q is known", id)
		}
	}
}

func TestPeopleAreSynthetic(t *testing.T) {
	t.Parallel()
	n := 0
	seen := map[string]bool{}
	for person := range People(1, 2000) {
		n++
		if !strings.HasPrefix(person.NationalID, "9") || len(person.NationalID) != 14 {
			t.Errorf("national id %s could be real", person.NationalID)
		}
		if !strings.Contains(person.Email, "@example.") || person.Email != strings.ToLower(person.Email) {
			t.Errorf("email %s", person.Email)
		}
		if !strings.HasPrefix(person.Phone, "+201") || len(person.Phone) != len("+201001234567") {
			t.Errorf("phone %s", person.Phone)
		}
		if seen[person.Phone] || seen[person.TransactionID] {
			t.Errorf("%s shares a phone or transaction", person.ID)
		}
		seen[person.Phone], seen[person.TransactionID] = true, true
	}
	if n != 2000 {
		t.Errorf("%d people", n)
	}
	for range People(1, 10) {
		break
	}
}

func TestUsersCSVHasTheRowForms(t *testing.T) {
	t.Parallel()
	server, err := New(Options{People: 10, Scenario: Scenario{Users: map[string]Rules{
		"u-000001": {Row: "local_phone"},
		"u-000002": {Row: "no_phone"},
		"u-000003": {Row: "no_email"},
		"u-000004": {Row: "no_identifier"},
		"u-000006": {Row: "no_transaction"},
		"u-000007": {Row: "upper_transaction"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := server.UsersCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 11 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[0], " "); got != "id email phone transaction_id verified_at" {
		t.Errorf("header %q", got)
	}
	const id, email, phone, transaction, verified = 0, 1, 2, 3, 4
	for i, check := range map[int]bool{
		1:  len(rows[1][phone]) == 11 && rows[1][phone][:2] == "01",
		2:  rows[2][phone] == "" && rows[2][email] != "",
		3:  rows[3][email] == "" && rows[3][phone] != "",
		4:  rows[4][email] == "" && rows[4][phone] == "",
		5:  rows[5][phone][:2] == "01",
		6:  rows[6][transaction] == "" && rows[6][id] == "u-000006",
		7:  rows[7][transaction] == strings.ToUpper(rows[7][transaction]),
		8:  rows[8][phone][:4] == "+201" && rows[8][transaction] == strings.ToLower(rows[8][transaction]),
		10: rows[10][phone][:2] == "01",
	} {
		if !check {
			t.Errorf("row %d is %q", i, rows[i])
		}
	}
	if _, err := time.Parse(time.RFC3339, rows[9][verified]); err != nil {
		t.Error(err)
	}
}
