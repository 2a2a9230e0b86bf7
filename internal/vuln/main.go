// Command vuln looks up the modules of this repository in the Go vulnerability
// database. From the root of a checkout:
//
//	go run ./internal/vuln
//
// It fails when a module that users of this one build with has a known
// vulnerability, whether or not its code is called, or when a vulnerable
// function of the standard library is called. Where the database cannot be
// reached it says so and succeeds.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	db := flag.String("db", "https://vuln.go.dev", "URL of the vulnerability database")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	if err := run(os.Stdout, *db, patterns...); err != nil {
		fmt.Fprintln(os.Stderr, "vuln:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, db string, patterns ...string) error {
	if err := reach(db); err != nil {
		fmt.Fprintf(out, "NOT CHECKED: the vulnerability database cannot be reached: %v\n", err)
		return nil
	}
	// The pinned version; the JSON output always ends with status 0 unless the
	// scan itself fails.
	args := append([]string{"tool", "-modfile=internal/tools/go.mod", "govulncheck", "-db", db, "-format", "json"}, patterns...)
	var report, messages bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off") // -modfile does not work in a workspace
	cmd.Stdout, cmd.Stderr = &report, &messages
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("govulncheck: %w\n%s", err, messages.Bytes())
	}
	findings, err := read(&report)
	if err != nil {
		return fmt.Errorf("govulncheck: %w", err)
	}
	for _, f := range findings {
		fmt.Fprintln(out, f)
	}
	if len(findings) > 0 {
		return fmt.Errorf("%d known vulnerabilities", len(findings))
	}
	fmt.Fprintln(out, "no known vulnerability")
	return nil
}

// reach asks for the file of the database that says how old it is.
func reach(db string) error {
	if !strings.HasPrefix(db, "http://") && !strings.HasPrefix(db, "https://") {
		return nil // a directory; the scan fails when it is not there
	}
	client := &http.Client{Timeout: 15 * time.Second}
	resp, err := client.Get(strings.TrimRight(db, "/") + "/index/db.json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	var about struct{ Modified time.Time }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&about); err != nil {
		return fmt.Errorf("%s/index/db.json is not that of a vulnerability database", db)
	}
	return nil
}

// read returns one line for each vulnerability that counts.
func read(report io.Reader) ([]string, error) {
	summaries := map[string]string{}
	found := map[string]string{}
	scanned := false
	for d := json.NewDecoder(report); ; {
		var message struct {
			Config  *struct{}
			OSV     *struct{ ID, Summary string }
			Finding *struct {
				OSV          string `json:"osv"`
				FixedVersion string `json:"fixed_version"`
				Trace        []struct{ Module, Version, Package, Function string }
			}
		}
		err := d.Decode(&message)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		scanned = scanned || message.Config != nil
		if message.OSV != nil {
			summaries[message.OSV.ID] = message.OSV.Summary
		}
		f := message.Finding
		if f == nil || len(f.Trace) == 0 {
			continue
		}
		// A program is built with its maker's Go: of the standard library only
		// what is called counts.
		if f.Trace[0].Module == "stdlib" && f.Trace[0].Function == "" {
			continue
		}
		line := fmt.Sprintf("%s: %s@%s", f.OSV, f.Trace[0].Module, f.Trace[0].Version)
		if f.FixedVersion != "" {
			line += ", fixed in " + f.FixedVersion
		}
		found[f.OSV] = line
	}
	if !scanned {
		return nil, errors.New("its report is empty")
	}
	lines := make([]string, 0, len(found))
	for id, line := range found {
		lines = append(lines, line+": "+summaries[id])
	}
	slices.Sort(lines)
	return lines, nil
}
