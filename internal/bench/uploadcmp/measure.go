package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go/internal/bench/uploadcmp/client"
)

const runLimit = 5 * time.Minute // of one run

// bench runs processes over files in dir.
type bench struct {
	bandwidth int64 // bytes per second of the sink

	dir    string
	inputs map[input]content
	runs   int
}

// build makes the sink and the clients.
func (b *bench) build(ctx context.Context) error {
	log.Print("building")
	here, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/alimedia/alimedia-go/internal/bench").Output()
	if err != nil {
		return fmt.Errorf("run it in internal/bench: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", b.dir+"/", "./sink", "./uploadcmp/client/...")
	cmd.Dir = strings.TrimSpace(string(here))
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// measure runs all clients on one cell, round by round.
func (b *bench) measure(ctx context.Context, c cell, who []contender, rounds int) ([]result, error) {
	log.Print(c)
	what, err := b.input(input{c.files, c.size})
	if err != nil {
		return nil, err
	}
	args := []string{"-delay", c.delay.String(), "-bandwidth", strconv.FormatInt(b.bandwidth, 10)}
	if c.tls {
		args = append(args, "-certificate", b.certificate())
	}
	sink, err := startSink(ctx, filepath.Join(b.dir, "sink"), args...)
	if err != nil {
		return nil, err
	}
	defer sink.close()
	var results []result
	for _, one := range who {
		if one.takes(c) {
			results = append(results, result{contender: one})
		}
	}
	for range rounds {
		for i := range results {
			r := &results[i]
			report, err := b.once(ctx, sink, c, r.contender, what)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			log.Printf("  %-30s %.3f s  %.3f CPU-s  %.1f MB  %d allocations", r.name, report.Wall, report.CPU, float64(report.RSS)/1e6, report.Mallocs)
			r.runs = append(r.runs, report)
		}
	}
	return results, nil
}

// once is one run of one client. It fails unless all bytes arrived.
func (b *bench) once(ctx context.Context, sink *sink, c cell, who contender, what content) (client.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	b.runs++
	bucket := fmt.Sprintf("run-%d", b.runs)
	args := append(slices.Clone(who.args),
		"-endpoint", sink.url, "-bucket", bucket, "-part", strconv.FormatInt(c.part, 10), "-workers", strconv.Itoa(c.workers), what.path)
	cmd := exec.CommandContext(ctx, filepath.Join(b.dir, who.binary), args...)
	cmd.Stderr = os.Stderr
	if c.tls { // crypto/x509 reads the roots of every Go client from there
		cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+b.certificate(), "SSL_CERT_DIR="+os.DevNull)
	}
	text, err := cmd.Output()
	if err != nil {
		return client.Report{}, err
	}
	var report client.Report
	if err := json.Unmarshal(text, &report); err != nil {
		return client.Report{}, err
	}
	got, err := b.arrived(ctx, sink, c, bucket)
	if err != nil {
		return client.Report{}, err
	}
	if want := (arrival{Objects: c.files, Bytes: what.bytes, CRC: what.crc}); got != want {
		return client.Report{}, fmt.Errorf("arrived: %+v, sent: %+v", got, want)
	}
	return report, nil
}

// certificate is where the sink writes its certificate.
func (b *bench) certificate() string { return filepath.Join(b.dir, "certificate.pem") }

// arrived asks the sink what a bucket has.
func (b *bench) arrived(ctx context.Context, s *sink, c cell, bucket string) (arrival, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	if c.tls {
		text, err := os.ReadFile(b.certificate())
		if err != nil {
			return arrival{}, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(text)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return s.arrived(ctx, &http.Client{Transport: transport}, bucket)
}
