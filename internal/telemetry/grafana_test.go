package telemetry

import (
	"bytes"
	"cmp"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

// checkExpression makes sure that an expression is PromQL and asks for metrics
// and labels that there are.
func checkExpression(t *testing.T, metrics map[string]family, where, expression string) {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Errorf("%s: %v: %s", where, err, expression)
		return
	}
	asked := 0
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if by, ok := node.(*parser.AggregateExpr); ok {
			checkLabels(t, metrics, where, by.Grouping, by.Expr)
		}
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		asked++
		name, metric, there := metricOf(metrics, selector.Name)
		if !there {
			t.Errorf("%s asks for %s, which nothing measures", where, selector.Name)
			return nil
		}
		for _, matcher := range selector.LabelMatchers {
			if matcher.Name != model.MetricNameLabel && !hasLabel(metric, matcher.Name) {
				t.Errorf("%s: %s has no label %s", where, name, matcher.Name)
			}
		}
		return nil
	})
	if asked == 0 {
		t.Errorf("%s asks for no metric: %s", where, expression)
	}
}

// checkLabels makes sure that what an aggregation groups by is there.
func checkLabels(t *testing.T, metrics map[string]family, where string, grouping []string, inside parser.Expr) {
	t.Helper()
	parser.Inspect(inside, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			_, metric, _ := metricOf(metrics, selector.Name)
			for _, label := range grouping {
				if !hasLabel(metric, label) {
					t.Errorf("%s groups %s by %s, which it does not have", where, selector.Name, label)
				}
			}
		}
		return nil
	})
}

func hasLabel(metric family, label string) bool {
	if label == "job" || label == "instance" || label == "le" && metric.kind == "histogram" {
		return true
	}
	for _, name := range metric.labels {
		if name == label {
			return true
		}
	}
	return false
}

// metricOf finds the metric of a series; a histogram has three.
func metricOf(metrics map[string]family, series string) (string, family, bool) {
	if metric, there := metrics[series]; there {
		return series, metric, metric.kind != "histogram"
	}
	for _, part := range []string{"_bucket", "_sum", "_count"} {
		if name, ok := strings.CutSuffix(series, part); ok && metrics[name].kind == "histogram" {
			return name, metrics[name], true
		}
	}
	return series, family{}, false
}

func TestAlertRules(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/grafana/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []struct {
				Alert       string            `json:"alert"`
				Expr        string            `json:"expr"`
				For         string            `json:"for"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"rules"`
		} `json:"groups"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		t.Fatal(err)
	}
	metrics := everything(t)
	alerts := make(map[string]bool)
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || alerts[rule.Alert] {
				t.Errorf("alert %q has no name of its own", rule.Alert)
			}
			alerts[rule.Alert] = true
			checkExpression(t, metrics, rule.Alert, rule.Expr)
			if wait, err := model.ParseDuration(cmp.Or(rule.For, "0s")); err != nil || time.Duration(wait) > time.Hour {
				t.Errorf("%s: for %q: %v", rule.Alert, rule.For, err)
			}
			if severity := rule.Labels["severity"]; severity != "critical" && severity != "warning" {
				t.Errorf("%s: severity %q", rule.Alert, severity)
			}
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s does not say what happened and what to do", rule.Alert)
			}
		}
	}
	for _, name := range []string{"NoSuccess", "Silent", "FailedUsersRising", "Throttled", "Damage", "UserWaitsLong"} {
		if !alerts["VlensArchiver"+name] {
			t.Errorf("there is no alert VlensArchiver%s", name)
		}
	}
}

// dashboard is what this test reads of Grafana's format.
type dashboard struct {
	Title         string
	UID           string
	SchemaVersion int
	Panels        []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ Type, UID string }
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct {
			Expr       string
			RefID      string
			Datasource struct{ Type, UID string }
		}
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

// grafanaVariable stands for what Grafana puts into an expression.
var grafanaVariable = regexp.MustCompile(`\$__[a-z_]+`)

func TestDashboard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board dashboard
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.UID == "" || board.SchemaVersion < 36 {
		t.Errorf("title %q, uid %q, schemaVersion %d", board.Title, board.UID, board.SchemaVersion)
	}
	variables := make(map[string]string)
	for _, variable := range board.Templating.List {
		variables[variable.Name] = variable.Type
	}
	if variables["datasource"] != "datasource" || variables["job"] != "query" {
		t.Errorf("variables: %v", variables)
	}

	metrics := everything(t)
	ids, shown := make(map[int]bool), make(map[string]bool)
	taken := make(map[[2]int]string) // cells of the grid
	for _, panel := range board.Panels {
		if panel.ID == 0 || ids[panel.ID] {
			t.Errorf("panel %q has no id of its own: %d", panel.Title, panel.ID)
		}
		ids[panel.ID] = true
		at := panel.GridPos
		if at.W < 1 || at.H < 1 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("panel %q is outside the grid: %+v", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("panel %q lies on %q", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		if panel.Type == "row" {
			continue
		}
		if panel.Datasource.UID != "${datasource}" || len(panel.Targets) == 0 {
			t.Errorf("panel %q: source %q, %d targets", panel.Title, panel.Datasource.UID, len(panel.Targets))
		}
		refs := make(map[string]bool)
		for _, target := range panel.Targets {
			if refs[target.RefID] || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q, target %q: twice, or of source %q", panel.Title, target.RefID, target.Datasource.UID)
			}
			refs[target.RefID] = true
			expression := strings.ReplaceAll(grafanaVariable.ReplaceAllString(target.Expr, "5m"), "$job", "acme")
			checkExpression(t, metrics, panel.Title, expression)
			for name := range metrics {
				if strings.Contains(target.Expr, name) {
					shown[name] = true
				}
			}
		}
	}
	for name := range metrics {
		// Who has left or is no longer listed, and when the figures were read, say
		// little by themselves.
		if !shown[name] && name != "vlens_archiver_archive_users_left" && name != "vlens_archiver_archive_users_unlisted" &&
			name != "vlens_archiver_archive_read_timestamp_seconds" {
			t.Errorf("no panel shows %s", name)
		}
	}
}
