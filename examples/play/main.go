// Play signs the URL of a video, fetches it, and shows that an expired URL is
// refused.
//
//	go run ./examples/play
//
// It runs on the SDK's simulator of the services and needs no account.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/playurl"
)

// domainKey is the primary key of the domain name in the console, section URL
// Signing.
const domainKey alimedia.Secret = "aliyuncdnexp1234"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	srv := mediatest.Start(mediatest.PlayDomain("play.localhost", mediatest.URLSigning{Type: "A", Key: domainKey, TTL: 30 * time.Minute}))
	defer srv.Close()
	srv.PutObject("films", "2026/片头 1.mp4", []byte("the film"))
	url := srv.PlayURL("2026/片头 1.mp4") // http://play.localhost:port/2026/…

	signer, err := playurl.New(playurl.Config{Type: playurl.A, Keys: []alimedia.Secret{domainKey}, TTL: 30 * time.Minute})
	if err != nil {
		return err
	}
	signed, err := signer.Sign(url)
	if err != nil {
		return err
	}
	for _, step := range []struct{ what, url string }{{"unsigned", url}, {"signed", signed}} {
		if err := fetch(ctx, srv.HTTPClient(), step.what, step.url); err != nil {
			return err
		}
	}
	srv.Clock().Advance(31 * time.Minute)
	return fetch(ctx, srv.HTTPClient(), "31 minutes later", signed)
}

func fetch(ctx context.Context, client *http.Client, what, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Printf("%-17s HTTP %d  %s%s\n", what+":", resp.StatusCode, body, resp.Header.Get("X-Tengine-Error"))
	return err
}
