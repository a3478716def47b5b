package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"vlens-archiver/bench/figures"
	"vlens-archiver/bench/site"
)

// programs are the files of the clients.
type programs struct {
	ours, before, floor, bento, python string

	bentoPipeline, pythonScript string
	version, build              string
}

// check finds out that the clients are there before time is spent.
func (p *programs) check(ctx context.Context, clients []string) error {
	p.bentoPipeline, p.pythonScript = "bench/peers/bento/pipeline.yaml", "bench/peers/python/archive.py"
	var err error
	if p.version, p.build, err = site.Identify(ctx, p.ours); err != nil {
		return err
	}
	for _, needed := range []struct{ client, file, advice string }{
		{figures.Before, p.before, "name another build with -before"},
		{figures.Floor, p.floor, "make bench builds it"},
		{figures.Bento, p.bento, "make bin/bento builds it, in some ten minutes"},
		{figures.Bento, p.bentoPipeline, "run this in the project's folder"},
		{figures.Python, p.python, "name another with -python"},
		{figures.Python, p.pythonScript, "run this in the project's folder"},
	} {
		if _, err := os.Stat(needed.file); err != nil && slices.Contains(clients, needed.client) {
			return fmt.Errorf("%s is not there (%s), or leave %s out with -clients", needed.file, needed.advice, needed.client)
		}
	}
	if slices.Contains(clients, figures.Python) {
		said, err := exec.CommandContext(ctx, p.python, "-c", "import requests, boto3, psycopg2").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s lacks a module (Debian: apt-get install python3-requests python3-boto3 python3-psycopg2): %w\n%s",
				p.python, err, strings.TrimSpace(string(said)))
		}
	}
	return nil
}
