package mediatest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

const pageListed = 200 // entries of a list on the page

//go:embed page.html
var pageText string

// pages are parsed when the first one is shown: most tests show none.
var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"time":     func(t time.Time) string { return t.UTC().Format("15:04:05.000") },
		"clock":    func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"file":     fileName,
		"date":     func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"duration": func(d span) string { return time.Duration(d).String() },
		"bytes":    humanBytes,
		"size":     func(s string) int64 { return int64(len(s)) },
		"short":    func(s string) string { return shortened(s, 120) },
		"pretty":   prettyJSON,
		"params":   paramsLine,
		"sorted":   func(v map[string][]string) []string { return slices.Sorted(maps.Keys(v)) },
		"values":   func(v map[string][]string) map[string][]string { return v },
		"requests": reversed[requestState],
		"jobs":     reversed[Job],
		"events":   reversed[Event],
		"objects":  reversed[objectState],
		"medias":   reversed[mediaState],
		"uploads":  reversed[Upload],
		"count":    func(total, shown int) counted { return counted{total, shown} },
		"mood":     mood,
		"prefix":   func() string { return ControlPrefix },
	}).Parse(pageText))
})

// counted is how long a list is, and how much of it is shown.
type counted struct{ Total, Shown int }

// view is what a page shows.
type view struct {
	*snapshot
	Nonce   string
	Request *requestState // on the page of a request
	Title   string
}

// getPage shows the page, or what the page fetches to follow the server.
func (c *control) getPage(w http.ResponseWriter, r *http.Request) {
	name := "home"
	if r.URL.RawQuery == "part=1" {
		name = "part"
	}
	c.show(w, http.StatusOK, name, view{snapshot: c.snapshot(pageListed), Title: "mediatest"})
}

func (c *control) getRequestPage(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	if err == nil {
		if found, ok := c.request(number); ok {
			c.show(w, http.StatusOK, "request", view{Request: &found, Title: "Request " + strconv.Itoa(number)})
			return
		}
	}
	c.show(w, http.StatusNotFound, "gone", view{Title: "No such request"})
}

func (c *control) show(w http.ResponseWriter, status int, name string, v view) {
	v.Nonce = c.randomID(16)
	var b bytes.Buffer
	if err := pages().ExecuteTemplate(&b, name, v); err != nil {
		sendControl(w, nil, fmt.Errorf("the page cannot be made: %w", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+v.Nonce+"'; script-src 'nonce-"+v.Nonce+
		"'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// reversed has the latest entry first.
func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func humanBytes(n int64) string {
	const step = 1024
	if n < step {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, unit := float64(n)/step, 0
	for value >= step && unit < 3 {
		value, unit = value/step, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, [...]string{"KiB", "MiB", "GiB", "TiB"}[unit])
}

// shortened is at most n bytes of a text.
func shortened(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "…"
}

// fileName is the end of a key.
func fileName(key string) string {
	name := key[strings.LastIndex(key, "/")+1:]
	if len(name) < len(key) {
		name = "…/" + name
	}
	return shortened(name, 120)
}

// prettyJSON indents a text that is JSON.
func prettyJSON(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// paramsLine is what a request says besides its operation, on one line.
func paramsLine(params url.Values) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == "Action" || name == "Version" || name == "Format" || strings.HasPrefix(name, "x-oss-") {
			continue
		}
		words = append(words, name+"="+params.Get(name))
	}
	return shortened(strings.Join(words, "  "), 200)
}

// mood is how a state or a status is colored.
func mood(state any) string {
	switch s := state.(type) {
	case int:
		switch {
		case s == 0:
			return "wait"
		case s < 400:
			return "good"
		}
		return "bad"
	case string:
		lower := strings.ToLower(s)
		for _, word := range []string{"fail", "block", "error", "cancel"} {
			if strings.Contains(lower, word) {
				return "bad"
			}
		}
		for _, word := range []string{"normal", "success", "finish", "complete", "succ"} {
			if strings.Contains(lower, word) {
				return "good"
			}
		}
	}
	return "wait"
}
