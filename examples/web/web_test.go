package main_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bazelbuild/rules_go/go/runfiles"
)

// TestServes starts the service at two levels and asks it for both pages.
func TestServes(t *testing.T) {
	path, err := runfiles.Rlocation(os.Getenv("WEB"))
	if err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{"GOMULTIARCH=max=v1": "v1\n", "GOMULTIARCH=level=v1": "v1\n", "": ""} {
		t.Run(variable, func(t *testing.T) {
			cmd := exec.Command(path, "-listen=localhost:0")
			cmd.Env = append(os.Environ(), variable)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			url, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			url = strings.TrimSpace(url)
			if page := get(t, url); !strings.Contains(page, "served by a packed program") {
				t.Errorf("the index page is %q", page)
			}
			level := get(t, url+"level")
			if want != "" && level != want || !strings.HasPrefix(level, "v") {
				t.Errorf("level %q, want %q", level, want)
			}
		})
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", url, response.StatusCode, err)
	}
	return string(body)
}
