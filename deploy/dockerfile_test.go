package deploy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dockerfile is the repository's Dockerfile as instructions, one a line with
// continuations joined and comments left out, split at the final FROM.
func dockerfile(t *testing.T) (build, final []string) {
	t.Helper()
	content, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	comments := regexp.MustCompile(`(?m)^\s*#.*\n`)
	joined := strings.ReplaceAll(comments.ReplaceAllString(string(content), ""), "\\\n", " ")
	for line := range strings.Lines(joined) {
		if line = strings.Join(strings.Fields(line), " "); line == "" {
			continue
		}
		if strings.HasPrefix(line, "FROM ") {
			build, final = append(build, final...), nil
		}
		final = append(final, line)
	}
	return build, final
}

func TestDockerfileBuildsOneStaticBinary(t *testing.T) {
	t.Parallel()
	build, _ := dockerfile(t)
	goMod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(goMod)
	if version == nil {
		t.Fatal("go.mod has no Go version")
	}
	if want := "FROM --platform=$BUILDPLATFORM golang:" + string(version[1]) + " AS build"; build[0] != want {
		t.Errorf("first line %q, want %q", build[0], want)
	}
	stage := strings.Join(build, "\n")
	for _, want := range []string{
		"CGO_ENABLED=0", "GOTOOLCHAIN=local", "-trimpath", "-buildvcs=false", "-s -w",
		"-X main.version=$VERSION", "-X main.commit=$COMMIT", " ./cmd/vlens-archiver", "ca-certificates.crt",
	} {
		if !strings.Contains(stage, want) {
			t.Errorf("the build lacks %q", want)
		}
	}
}

func TestDockerfileFinalStage(t *testing.T) {
	t.Parallel()
	build, final := dockerfile(t)
	for _, line := range append(slices.Clone(build), final...) {
		if regexp.MustCompile(`^ADD |\b(curl|wget|apt-get|apk)\b`).MatchString(line) {
			t.Errorf("the image takes something from the network: %s", line)
		}
	}
	if final[0] != "FROM scratch" {
		t.Fatalf("the final stage starts %q", final[0])
	}
	var instructions []string
	for _, line := range final[1:] {
		name, rest, _ := strings.Cut(line, " ")
		instructions = append(instructions, name)
		switch name {
		case "RUN", "CMD", "EXPOSE":
			t.Errorf("the final stage has %s", line)
		case "USER":
			if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(rest) {
				t.Errorf("USER %s: Kubernetes can prove runAsNonRoot only of numbers", rest)
			}
		case "COPY":
			if !strings.HasPrefix(rest, "--from=build ") {
				t.Errorf("the final stage copies from the build context: %s", line)
			}
		case "ENTRYPOINT":
			if rest != `["/usr/bin/vlens-archiver"]` {
				t.Errorf("ENTRYPOINT %s needs a shell or another program", rest)
			}
		}
	}
	for _, want := range []string{"USER", "ENTRYPOINT", "LABEL"} {
		if !slices.Contains(instructions, want) {
			t.Errorf("the final stage has no %s", want)
		}
	}
}

func TestBuildContextHoldsNoSettings(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Split(string(content), "\n")
	for _, want := range []string{".git", ".env*", "config.yaml", "*.pem", "*.key"} {
		if !slices.Contains(ignored, want) {
			t.Errorf("%s reaches the build", want)
		}
	}
	for _, needed := range []string{"go.mod", "go.sum", "cmd", "internal", "migrations", "store", "vlens", "worker"} {
		if slices.Contains(ignored, needed) {
			t.Errorf("%s does not reach the build", needed)
		}
	}
}
