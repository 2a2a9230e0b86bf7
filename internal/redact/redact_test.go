package redact

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

const secret = `Ab+c/d=="e&<f>' g%h`

func xmlEscaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func forms(s string) map[string]string {
	jsonForm, _ := json.Marshal(s)
	plain := strings.Trim(string(jsonForm), `"`)
	return map[string]string{
		"plain": s, "query": url.QueryEscape(s), "path": url.PathEscape(s),
		"lower-case query": strings.ToLower(url.QueryEscape("+/=")) + url.QueryEscape(s),
		"query twice":      url.QueryEscape(url.QueryEscape(s)), "query thrice": url.QueryEscape(url.QueryEscape(url.QueryEscape(s))),
		"html": html.EscapeString(s), "html twice": html.EscapeString(html.EscapeString(s)), "xml": xmlEscaped(s),
		"json": plain, "json with slashes": strings.ReplaceAll(plain, "/", `\/`),
		"json in unicode": strings.ReplaceAll(strings.ReplaceAll(plain, "+", `\u002B`), "/", `\u002f`),
		"html of query":   html.EscapeString(url.QueryEscape(s)),
		"cut off":         s[:12],
	}
}

func TestText_EveryEscapedForm(t *testing.T) {
	t.Parallel()
	for name, form := range forms(secret) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Text("before "+form+" after", secret, "", "short")
			require.Contains(t, got, "before ")
			require.NotContains(t, got, form)
			require.NotContains(t, got, "Ab")
			if name != "cut off" {
				require.Contains(t, got, mask+" after")
			}
		})
	}
}

func TestText_LongestFirst(t *testing.T) {
	t.Parallel()
	require.Equal(t, "x *** y", Text("x secret-and-more y", "secret", "secret-and-more"))
}

func TestText_WhatLooksLikeASecret(t *testing.T) {
	t.Parallel()
	for _, tt := range []string{
		`"UploadAuth":"hidden0123"`, `UploadAuth=hidden0123&x=1`, `<SecurityToken>hidden0123</SecurityToken>`,
		`security-token=hidden0123`, `x-oss-security-token: hidden0123`, `Authorization: OSS4-HMAC-SHA256 hidden0123`,
		`Authorization: Bearer hidden0123`, `\"AccessKeySecret\":\"hidden0123\"`, `Signature=hidden0123`,
		`https://b.example.com/k?OSSAccessKeyId=x&Expires=1&sig=hidden0123`,
		"-----BEGIN RSA PRIVATE KEY-----\nhidden0123\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----\nhidden0123 and cut off", `AuthKey hidden? AuthKey=hidden0123`,
		`eyJBY2Nlc3NLZXlJZCI6ImhpZGRlbjAxMjMifQhidden0123`,
	} {
		require.NotContains(t, Text("said "+tt), "hidden0123", tt)
		require.Contains(t, Text("said "+tt), "said", tt)
	}
	require.Equal(t, "The Signature is wrong, see https://example.com/a", Text("The Signature is wrong, see https://example.com/a"))
}

func TestLine(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b ? c", Line(" a\r\n\tb \x00\u2028 c"))
	require.Equal(t, "a ?[31mred", Line("a \x1b[31mred"))
	require.Equal(t, "电影?", Line("电影\xff"))
	long := Line(strings.Repeat("电", 1<<20))
	require.LessOrEqual(t, len(long), MaxBytes)
	require.True(t, utf8.ValidString(long))
	require.True(t, strings.HasSuffix(long, "..."))
}

func FuzzText(f *testing.F) {
	for _, form := range forms(secret) {
		f.Add("before "+form, secret)
	}
	f.Add("%25%252B&amp;#43;\\u00", "+")
	f.Fuzz(func(t *testing.T, text, s string) {
		got := Text(text, s)
		require.LessOrEqual(t, len(got), MaxBytes)
		require.Equal(t, -1, strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) && r != ' ' }))
		if len(s) >= 4 && !strings.Contains(mask, s) && !strings.Contains(s, "*") && len(text) < 512 {
			require.NotContains(t, got, s)
		}
	})
}

// TestSecrets_LettersOfEscapes: a u or an x in a secret is not taken for the
// beginning of its own escape.
func TestSecrets_LettersOfEscapes(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"secret:uaG5eie/qkpeJdBox", "uuuuuuuu-xxxxxxxx"} {
		for _, format := range []string{`\u%04x`, `\x%02x`} {
			text := ""
			for _, c := range []byte(secret) {
				text += fmt.Sprintf(format, c)
			}
			require.Equal(t, "a *** b", Text("a "+text+" b", secret))
		}
	}
}

// TestText_EscapesWithinEscapes: gateways quote JSON in a query, a query in HTML
// and JSON in JSON.
func TestText_EscapesWithinEscapes(t *testing.T) {
	t.Parallel()
	secret := `CAIS/a+b=c&d<e>"f'g%h\i` + "ABCDEFGHIJ"
	encode := map[string]func(string) string{
		"JSON": func(s string) string {
			b, err := json.Marshal(s)
			require.NoError(t, err)
			return strings.Trim(string(b), `"`)
		},
		"slashes": func(s string) string { return strings.ReplaceAll(s, "/", `\/`) },
		"query":   url.QueryEscape,
		"HTML":    html.EscapeString,
	}
	for one, first := range encode {
		for two, second := range encode {
			for three, third := range encode {
				text := third(second(first(secret)))
				require.Equal(t, "a *** b", Text("a "+text+" b", secret), "%s, %s, %s: %s", one, two, three, text)
			}
		}
	}
}
