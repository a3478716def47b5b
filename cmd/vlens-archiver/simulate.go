package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"vlens-archiver/vlens/vlenstest"
)

// simulation is what the flags of simulate say.
type simulation struct {
	listen    string
	people    int
	seed      uint64
	scenario  string
	demo      bool
	quota     string
	perSecond int
	perMinute int
	usersFile string
}

func (p *program) simulateCommand() *cobra.Command {
	var s simulation
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve a Vlens tenant of synthetic people, for staging and tests",
		Long:  "Serves the Vlens API over HTTP for people who do not exist, and prints the\nconfiguration to use it with. Everything follows from the seed. A first signal\nlets answers on their way finish.\n\n" + behavioursText(),
		Example: `  vlens-archiver simulate --people 1000 --users-csv users.csv
  vlens-archiver simulate --scenario trouble.yaml --quota none`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			if s.demo && s.scenario != "" {
				return usage(cmd, "--demo is a scenario; it does not go together with --scenario")
			}
			server, err := s.server()
			if err != nil {
				return usage(cmd, err.Error())
			}
			return p.plain(func(ctx context.Context) error { return p.simulate(ctx, s, server) })(cmd, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8085", "`HOST:PORT` to serve on; port 0 is a free one")
	flags.IntVar(&s.people, "people", vlenstest.DefaultPeople, "how many people the tenant has")
	flags.Uint64Var(&s.seed, "seed", 1, "everything follows from it")
	flags.StringVar(&s.scenario, "scenario", "", "YAML `FILE` that says how the tenant behaves")
	flags.BoolVar(&s.demo, "demo", false, fmt.Sprintf("the scenario of the demo: %d people, some of them awkward", vlenstest.DemoPeople))
	flags.StringVar(&s.quota, "quota", "", "quota.preset of the scenario, a `NAME`: digital_identity, ocr or none")
	flags.IntVar(&s.perSecond, "per-second", 0, "at most `N` requests in any second; 0 is the preset's")
	flags.IntVar(&s.perMinute, "per-minute", 0, "at most `N` requests in any minute; 0 is the preset's")
	flags.StringVar(&s.usersFile, "users-csv", "", "write the rows of the users to this `FILE`, to fill a table with")
	return cmd
}

// simulate serves the tenant until ctx ends.
func (p *program) simulate(ctx context.Context, s simulation, server *vlenstest.Server) error {
	if s.usersFile != "" {
		if err := writeUsers(server, s.usersFile); err != nil {
			return err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("serve on --listen: %w", err)
	}
	if err := p.print(invitation(s, listener.Addr())); err != nil {
		return err
	}
	return server.Serve(ctx, listener)
}

func (s simulation) server() (*vlenstest.Server, error) {
	var scenario vlenstest.Scenario
	switch {
	case s.demo:
		scenario = vlenstest.DemoScenario()
	case s.scenario != "":
		content, err := os.ReadFile(s.scenario)
		if err != nil {
			return nil, fmt.Errorf("read --scenario: %w", err)
		}
		if scenario, err = vlenstest.ParseScenario(s.scenario, content); err != nil {
			return nil, err
		}
	}
	if s.quota != "" {
		scenario.Quota.Preset = s.quota
	}
	if s.perSecond != 0 {
		scenario.Quota.PerSecond = s.perSecond
	}
	if s.perMinute != 0 {
		scenario.Quota.PerMinute = s.perMinute
	}
	return vlenstest.New(vlenstest.Options{People: s.people, Seed: s.seed, Scenario: scenario})
}

func writeUsers(server *vlenstest.Server, name string) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write --users-csv: %w", err)
	}
	defer func() {
		if closed := file.Close(); err == nil && closed != nil {
			err = fmt.Errorf("write --users-csv: %w", closed)
		}
	}()
	return server.UsersCSV(file)
}

// invitation says how to use the tenant.
func invitation(s simulation, addr net.Addr) string {
	baseURL := "http://" + addr.String()
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		baseURL = fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return fmt.Sprintf(`A tenant of %d synthetic people (seed %d) at %s; stop it with Ctrl-C.

Configuration to use it:

vlens:
  base_url: %s
  tenancy_name: %s
  api_key: %s
  username: %s
  password: %s

Fill a table of users:

  CREATE TABLE users (id text PRIMARY KEY, email text, phone text, transaction_id text, verified_at timestamptz);
  curl -s %s/_sim/users.csv | psql -c '\copy users FROM STDIN WITH (FORMAT csv, HEADER)'
`, s.people, s.seed, baseURL,
		baseURL, vlenstest.DefaultTenancy, vlenstest.DefaultAPIKey, vlenstest.DefaultUsername, vlenstest.DefaultPassword,
		baseURL)
}

// behavioursText lists what a scenario file can say.
func behavioursText() string {
	rows := [][]string{}
	for _, b := range vlenstest.Behaviours() {
		rows = append(rows, []string{"  " + b.Name, b.Scope, b.Doc})
	}
	var text page
	text.line("What a scenario file can say, for the tenant or for single users (under all:,")
	text.line("samples: or users: ID:); the first word of a key is its default:")
	text.line("")
	text.table(rows)
	return strings.TrimRight(text.String(), "\n")
}
