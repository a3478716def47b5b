package main

import (
	"testing"

	"vlens-archiver/bench/figures"
)

func TestMissingTurns(t *testing.T) {
	t.Parallel()
	b := bench{clients: []string{figures.Ours, figures.Floor, figures.Bento}, rounds: 2}
	c := figures.Case{ImageBytes: 1, InFlight: 2}
	done := []figures.Comparison{
		{Case: c, Round: 1, Client: figures.Floor},
		{Case: figures.Case{ImageBytes: 1, InFlight: 3}, Round: 1, Client: figures.Ours}, // another case
	}
	got := b.missing(done, c)
	want := []turn{{1, figures.Ours}, {1, figures.Bento}, {2, figures.Floor}, {2, figures.Bento}, {2, figures.Ours}}
	if len(got) != len(want) {
		t.Fatalf("%v, want %v", got, want)
	}
	for n := range want {
		if got[n] != want[n] {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	b := bench{clients: allClients}
	if err := b.choose("20,3072", 16); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[figures.Case]bool{
		{ImageBytes: 20 << 10, InFlight: 16}:  true,
		{ImageBytes: 3 << 20, InFlight: 16}:   true,
		{ImageBytes: 300 << 10, InFlight: 16}: false,
		{ImageBytes: 20 << 10, InFlight: 64}:  false,
	} {
		if b.chosen(c) != want {
			t.Errorf("%+v: %t", c, !want)
		}
	}
	if err := b.choose("big", 0); err == nil {
		t.Error("a size that is no number is taken")
	}
	b.clients = []string{"Rclone"}
	if err := b.choose("", 0); err == nil {
		t.Error("a client that is not there is taken")
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	expected := map[string]int{"a": 1, "b": 2}
	if err := differences(expected, map[string]int{"a": 1, "b": 2}); err != nil {
		t.Errorf("the same images: %v", err)
	}
	for name, found := range map[string]map[string]int{
		"one is missing": {"a": 1, "b": 1}, "one too many": {"a": 2, "b": 2}, "another": {"a": 1, "b": 1, "c": 1}, "none": nil,
	} {
		if differences(expected, found) == nil {
			t.Errorf("%s: no difference", name)
		}
	}
}
