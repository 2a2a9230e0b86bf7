package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/cmd/alimedia/internal/screen"
)

func newDecodeAuthCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "decode-auth [FILE]",
		Short: "Show what an UploadAddress and UploadAuth say, without the secrets",
		Long: `decode-auth reads the response of CreateUploadVideo or a similar operation as
JSON from FILE or from standard input, or UploadAddress and UploadAuth
themselves, in any order. It shows where they upload to, what they allow and
until when. Secrets are never shown.

Exit code: 0 if they can be used now, 1 if they have expired or something is
missing.`,
		Example: `  alimedia call vod CreateUploadVideo Title=a FileName=a.mp4 --show-secrets | alimedia decode-auth
  pbpaste | alimedia decode-auth --json`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nil, 0 },
		RunE:              func(_ *cobra.Command, args []string) error { return a.decodeAuth(args) },
	}
}

// uploadGrant is what an UploadAddress and UploadAuth say.
type uploadGrant struct {
	MediaId     string `json:"mediaId,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"`
	Bucket      string `json:"bucket,omitempty"`
	Object      string `json:"object,omitempty"`
	Prefix      string `json:"prefix,omitempty"` // of further objects
	Region      string `json:"region,omitempty"`
	AccessKeyId string `json:"accessKeyId,omitempty"` // temporary, and of no use alone
	Secret      bool   `json:"hasAccessKeySecret"`
	Token       bool   `json:"hasSecurityToken"`

	Expires *time.Time `json:"expires,omitempty"`
	Life    int64      `json:"lifeSeconds,omitempty"` // when it was issued
	Swapped bool       `json:"swapped,omitempty"`
	Usable  bool       `json:"usable"`
	Missing []string   `json:"missing,omitempty"`
}

func (a *app) decodeAuth(args []string) error {
	name := "-"
	switch {
	case len(args) > 1:
		return usagef("decode-auth takes one file, and got %d arguments; UploadAuth itself does not belong on the command line", len(args))
	case len(args) == 1:
		name = args[0]
		if strings.HasPrefix(name, "eyJ") {
			return usagef("decode-auth reads from a file or from standard input: an UploadAuth on the command line can be seen by other users")
		}
	case a.term.In.TTY:
		a.notef("paste the response, or UploadAddress and UploadAuth, then press Ctrl-D")
	}
	text, err := a.read(name)
	if err != nil {
		return err
	}
	grant, err := decodeGrant(text, time.Now())
	if err != nil {
		return usagef("%s: %w", inputName(name), err)
	}
	if err := a.showGrant(grant); err != nil {
		return err
	}
	switch {
	case len(grant.Missing) > 0:
		return fmt.Errorf("it cannot be used: %s missing", strings.Join(grant.Missing, ", "))
	case !grant.Usable:
		return errors.New("it has expired: RefreshUploadVideo (VOD) or RefreshUploadMedia (ICE) returns a new one for the same asset")
	}
	return nil
}

var errNoGrant = errors.New("neither a response with UploadAddress and UploadAuth, nor these themselves")

// decodeGrant reads a response, or the two texts.
func decodeGrant(text string, now time.Time) (*uploadGrant, error) {
	g := &uploadGrant{}
	var parts []string
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var response map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &response); err != nil {
			return nil, errors.New("the response is not JSON")
		}
		o := folded(response)
		for _, id := range []string{"VideoId", "MediaId", "ImageId"} {
			g.MediaId = orElse(g.MediaId, o.text(id))
		}
		for _, field := range []string{"UploadAddress", "UploadAuth"} {
			value := o.text(field)
			if value == "***" {
				return nil, fmt.Errorf("%s is masked: call prints it with --show-secrets", field)
			}
			if value != "" {
				parts = append(parts, value)
			}
		}
		if len(parts) == 0 && o.text("Bucket")+o.text("SecurityToken") == "" {
			return nil, errNoGrant
		}
		if len(parts) == 0 {
			parts = []string{base64.StdEncoding.EncodeToString([]byte(text))} // it was decoded already
		}
	} else {
		for _, word := range strings.Fields(text) {
			if strings.HasSuffix(word, ":") { // a name in front of the text
				continue
			}
			parts = append(parts, strings.Trim(word[strings.LastIndexByte(strings.TrimRight(word, "="), '=')+1:], `"',`))
		}
	}
	fields := foldedJSON{}
	for i, part := range parts {
		document, err := decodeDocument(part)
		if err != nil {
			return nil, err
		}
		if _, isAuth := document["securitytoken"]; isAuth && i == 0 && len(parts) == 2 && strings.Contains(text, "UploadAddress") {
			g.Swapped = true
		}
		for name, value := range document {
			fields[name] = value
		}
	}
	if len(fields) == 0 {
		return nil, errNoGrant
	}
	g.fill(fields, now)
	return g, nil
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}

// foldedJSON is a JSON object by names in lower case.
type foldedJSON map[string]json.RawMessage

func folded(o map[string]json.RawMessage) foldedJSON {
	f := foldedJSON{}
	for name, value := range o {
		f[strings.ToLower(name)] = value
	}
	return f
}

func (f foldedJSON) text(name string) string {
	raw := f[strings.ToLower(name)]
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s)
	}
	if n := strings.TrimSpace(string(raw)); n != "" && strings.Trim(n, "-0123456789.") == "" {
		return n
	}
	return ""
}

// decodeDocument reads Base64 of a JSON object, in either alphabet. Its error
// does not quote the text.
func decodeDocument(text string) (foldedJSON, error) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	var o map[string]json.RawMessage
	if err != nil || json.Unmarshal(data, &o) != nil || o == nil {
		return nil, errNoGrant
	}
	return folded(o), nil
}

func (g *uploadGrant) fill(f foldedJSON, now time.Time) {
	need := func(name string) string {
		value := f.text(name)
		if value == "" {
			g.Missing = append(g.Missing, name)
		}
		return value
	}
	g.Endpoint, g.Bucket, g.Object = need("Endpoint"), need("Bucket"), need("FileName")
	g.AccessKeyId = need("AccessKeyId")
	g.Secret, g.Token = need("AccessKeySecret") != "", need("SecurityToken") != ""
	g.Prefix, g.Region = f.text("ObjectPrefix"), f.text("Region")
	expiration := f.text("Expiration")
	if seconds, err := strconv.ParseInt(expiration, 10, 64); err == nil {
		g.Life = seconds
	}
	for _, text := range []string{f.text("ExpireUTCTime"), expiration} {
		if t, err := alimedia.ParseTime(text); err == nil && g.Expires == nil {
			g.Expires = &t
		}
	}
	g.Usable = len(g.Missing) == 0 && (g.Expires == nil || g.Expires.After(now))
}

func (a *app) showGrant(g *uploadGrant) error {
	if a.flags.json {
		return a.emit(g)
	}
	p := &page{w: a.out, width: a.term.Width()}
	if p.width <= 0 {
		p.width = 1 << 16
	}
	row := func(name, value string) {
		if value != "" {
			p.item(screen.Pad(name, 13)+" ", 14, screen.Clean(value))
		}
	}
	row("MediaId", g.MediaId)
	row("Endpoint", g.Endpoint)
	row("Bucket", g.Bucket)
	row("Object", g.Object)
	row("Further", g.Prefix)
	row("Region", g.Region)
	row("AccessKeyId", g.AccessKeyId)
	row("Secrets", has("AccessKeySecret", g.Secret)+", "+has("SecurityToken", g.Token))
	switch {
	case g.Expires == nil && g.Life > 0:
		row("Expires", fmt.Sprintf("%d seconds after it was issued; it does not say when that was", g.Life))
	case g.Expires == nil:
		row("Expires", "it does not say; the services document 3000 seconds")
	case g.Usable || g.Expires.After(time.Now()):
		row("Expires", fmt.Sprintf("%s, in %v", g.Expires.Local().Format(time.DateTime), time.Until(*g.Expires).Round(time.Second)))
	default:
		row("Expires", fmt.Sprintf("%s, %v ago", g.Expires.Local().Format(time.DateTime), time.Since(*g.Expires).Round(time.Second)))
	}
	what := "PutObject, and the multipart upload, of this object"
	if g.Prefix != "" {
		what += " and of those below the prefix"
	}
	row("Allows", what)
	if g.Swapped {
		row("Note", "UploadAddress and UploadAuth are swapped, as in some samples of the reference")
	}
	return p.err
}

func has(name string, there bool) string {
	if there {
		return name + " ***"
	}
	return "no " + name
}
