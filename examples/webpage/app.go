package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/webupload"
)

//go:embed page
var files embed.FS

// app is the backend of the page.
type app struct {
	*services
	settings settings

	mu     sync.Mutex
	videos map[string][]string // completed ones of each user, oldest first; a database in your program
}

func newApp(s settings, on *services) (http.Handler, error) {
	a := &app{services: on, settings: s, videos: map[string][]string{}}
	uploads, err := webupload.New(webupload.Config{
		VOD: on.video, Keys: []alimedia.Secret{on.key},
		Owner: a.user, Policy: a.policy, Completed: a.completed,
		// Everybody can have another session, so that the address counts.
		ClientKey: func(r *http.Request, _ string) string {
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			return host
		},
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/uploads", uploads.Create)
	mux.HandleFunc("/uploads/refresh", uploads.Refresh)
	mux.HandleFunc("/uploads/complete", uploads.Complete)
	mux.HandleFunc("/uploads/cancel", uploads.Cancel)
	mux.HandleFunc("GET /videos", a.list)
	mux.HandleFunc("GET /videos/{id}", a.show)
	if err := a.page(mux); err != nil {
		return nil, err
	}
	return mux, nil
}

// types are what the page takes: what is played without transcoding.
var types = []string{"mp4", "webm", "mp3"}

// policy decides what may be uploaded and what becomes of it. Only the title is the
// user's.
func (a *app) policy(_ context.Context, r webupload.Request) (webupload.Target, error) {
	switch {
	case !slices.Contains(types, r.Extension):
		return nil, webupload.Refuse(http.StatusUnprocessableEntity, "TypeNotAllowed", "Please choose an MP4 or WebM video, or an MP3 file.")
	case r.FileSize > a.settings.maxSize:
		return nil, webupload.Refuse(http.StatusRequestEntityTooLarge, "FileTooLarge", "This file is too large. The limit is "+size(a.settings.maxSize)+".")
	}
	title := strings.TrimSuffix(r.FileName, path.Ext(r.FileName))
	if runes := []rune(title); len(runes) > 128 {
		title = string(runes[:128])
	}
	return webupload.Video{
		Title: title, FileName: "upload." + r.Extension, FileSize: r.FileSize, TemplateGroupId: a.settings.template,
	}, nil
}

func size(bytes int64) string {
	unit, n := "GB", float64(bytes)/1e9
	if n < 1 {
		unit, n = "MB", n*1e3
	}
	return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64) + " " + unit
}

// completed runs once the service has the file.
func (a *app) completed(_ context.Context, asset webupload.Asset) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Contains(a.videos[asset.Owner], asset.Id) {
		a.videos[asset.Owner] = append(a.videos[asset.Owner], asset.Id)
	}
	return nil
}

const session = "session"

// user stands for your sign-in: everybody who opens the page is a user, known by a
// signed cookie.
func (a *app) user(r *http.Request) (string, error) {
	cookie, err := r.Cookie(session)
	if err != nil {
		return "", err
	}
	name, mac, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(mac), []byte(a.mac(name))) {
		return "", errors.New("the session is not ours")
	}
	return name, nil
}

func (a *app) mac(name string) string {
	h := hmac.New(sha256.New, []byte(a.key.Reveal()))
	h.Write([]byte("session " + name))
	return hex.EncodeToString(h.Sum(nil))
}

// list tells a user of all own videos, the newest first.
func (a *app) list(w http.ResponseWriter, r *http.Request) {
	user, err := a.user(r)
	if err != nil {
		http.Error(w, "sign in", http.StatusUnauthorized)
		return
	}
	a.mu.Lock()
	ids := append([]string{}, a.videos[user]...)
	a.mu.Unlock()
	slices.Reverse(ids)
	answer(w, ids[:min(len(ids), 50)], nil)
}

// show tells a user of an own video.
func (a *app) show(w http.ResponseWriter, r *http.Request) {
	user, err := a.user(r)
	id := r.PathValue("id")
	a.mu.Lock()
	own := err == nil && slices.Contains(a.videos[user], id)
	a.mu.Unlock()
	if !own {
		http.Error(w, "there is no such video", http.StatusNotFound)
		return
	}
	v, err := a.describe(r.Context(), id)
	if alimedia.IsNotFound(err) {
		http.Error(w, "there is no such video", http.StatusNotFound)
		return
	}
	answer(w, v, err)
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		slog.Warn("webpage", "error", err)
		http.Error(w, "the media service does not answer", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}

// page serves the page, with a session for who comes without one.
func (a *app) page(mux *http.ServeMux) error {
	tmpl, err := template.ParseFS(files, "page/index.html")
	if err != nil {
		return err
	}
	static, err := fs.Sub(files, "page")
	if err != nil {
		return err
	}
	client, uploader, source := scripts(mux, a.settings.sdk)
	data := map[string]any{
		"Client": client, "Uploader": uploader, "PartSize": a.settings.partSize, "MaxSize": size(a.settings.maxSize), "Accept": "." + strings.Join(types, ",."),
	}
	csp := strings.Join([]string{
		"default-src 'none'", "script-src 'self' " + source, "style-src 'self'", "img-src 'self' data:", "connect-src 'self' " + a.storage,
		"media-src " + a.players, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
	for _, name := range []string{"page.js", "upload.js", "backend.js", "memory.js", "words.js", "alias.js", "style.css"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, static, name) })
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if _, err := a.user(r); err != nil {
			name := rand.Text()
			http.SetCookie(w, &http.Cookie{
				Name: session, Value: name + "." + a.mac(name), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
				Secure: r.TLS != nil, MaxAge: int((30 * 24 * time.Hour).Seconds()),
			})
		}
		_ = tmpl.Execute(w, data)
	})
	return nil
}
