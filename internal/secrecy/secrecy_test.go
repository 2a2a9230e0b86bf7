package secrecy_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/internal/redact"
	"github.com/alimedia/alimedia-go/mediatest"
	"github.com/alimedia/alimedia-go/upload"
	"github.com/alimedia/alimedia-go/vod"
)

const planted = "Planted+Secret/0123456789=="

// texts is v in all ways that show a value.
func texts(v any) map[string]string {
	shown := map[string]string{}
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "d", "x", "X", "t", "T", "08b", "-40v", "+q", "# x"} {
		shown["%"+verb] = fmt.Sprintf("%"+verb, v)
	}
	shown["error"] = fmt.Errorf("failed: %v", v).Error()
	var text, document bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&document, nil)).Info("m", "v", v, slog.Group("g", "v", v))
	shown["slog text"], shown["slog JSON"] = text.String(), document.String()
	if plain, err := json.Marshal(v); err == nil {
		shown["JSON"] = string(plain)
	}
	return shown
}

// forms are the ways in which a secret may be spelled.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	raw := hex.EncodeToString([]byte(secret))
	var spaced, numbers []string
	for _, c := range []byte(secret) {
		spaced = append(spaced, fmt.Sprintf("%02x", c))
		numbers = append(numbers, fmt.Sprint(c))
	}
	return []string{
		secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), raw, strings.ToUpper(raw), strings.Join(spaced, " "),
		strings.Join(numbers, " "), base64.StdEncoding.EncodeToString([]byte(secret)),
	}
}

// held is v in the hands of its users.
func held[T any](v T) map[string]any {
	type inner struct{ V T }
	return map[string]any{
		"itself": v, "pointer": &v, "field": struct{ V T }{v}, "field of a pointer": &struct{ V *T }{&v}, "embedded": struct{ inner }{inner{v}},
		"slice": []T{v}, "array": [1]T{v}, "slice of pointers": []*T{&v}, "map": map[string]T{"k": v}, "any": []any{v},
		"map of any": map[string]any{"k": &v},
	}
}

// inside is v in a field that fmt calls no methods of.
func inside[T any](v T) map[string]any {
	type inner struct{ v T }
	return map[string]any{"unexported pointer": struct{ v *T }{&v}, "unexported": inner{v}, "unexported, pointer": &inner{v}, "twice": struct{ i inner }{inner{v}}}
}

func requireHidden(t *testing.T, secrets []string, values map[string]any) {
	t.Helper()
	var spelled []string
	for _, secret := range secrets {
		spelled = append(spelled, forms(secret)...)
	}
	for how, v := range values {
		for way, text := range texts(v) {
			for _, form := range spelled {
				if strings.Contains(text, form) {
					require.Fail(t, "a secret is shown", "%s, %s: %s", how, way, redact.Text(text, secrets...))
				}
			}
		}
	}
}

func TestAnyType_B60_ShowsNoSecret(t *testing.T) {
	t.Parallel()
	srv := mediatest.New(t)
	second := srv.AddAccount("4711")
	temporary := second.IssueCredentials()
	secrets := []string{
		planted, srv.Credentials().AccessKeySecret, second.Credentials().AccessKeySecret, temporary.AccessKeySecret, temporary.SecurityToken,
	}

	video, err := vod.New(srv.Config())
	require.NoError(t, err)
	media, err := ice.New(srv.Config())
	require.NoError(t, err)
	ucfg := upload.Config{VOD: video, ICE: media, Credentials: srv.Config().Credentials, HTTPClient: srv.HTTPClient()}
	up, err := upload.New(ucfg)
	require.NoError(t, err)
	res, err := up.Upload(t.Context(), upload.Reader("a.mp4", strings.NewReader("data"), 4), upload.VODVideo{Title: "a"})
	require.NoError(t, err)
	created, err := video.CreateUploadVideo(t.Context(), vod.CreateUploadVideoRequest{Title: "a", FileName: "a.mp4"})
	require.NoError(t, err)
	auth, err := base64.StdEncoding.DecodeString(string(created.UploadAuth))
	require.NoError(t, err)
	var keys credentials.Credentials
	require.NoError(t, json.Unmarshal(auth, &keys))
	secrets = append(secrets, string(created.UploadAuth), keys.AccessKeySecret, keys.SecurityToken)

	own := alimedia.Config{Region: "cn-shanghai", Credentials: credentials.Static("id", planted, planted)}
	ecfg := events.Config{Keys: []alimedia.Secret{planted}, URLs: []string{"https://example.com/"}}
	receiver, err := events.New(ecfg, new(events.News).Handle)
	require.NoError(t, err)
	callback := mediatest.Callback{Service: "vod", URL: "https://example.com/", AuthKey: planted, Body: "{}"}
	page := upload.URL("https://example.com/a.mp4?token="+url.QueryEscape(planted), upload.URLHeader(http.Header{"Authorization": {planted}}))

	// Values that hide their secrets wherever they are.
	for name, values := range map[string][]map[string]any{
		"mediatest.Server":    {held(srv), inside(srv)},
		"mediatest.Account":   {held(second), inside(second)},
		"mediatest.Config":    {held(srv.Config()), inside(srv.Config()), held(second.Config())},
		"mediatest.Provider":  {held(srv.Config().Credentials), inside(srv.Config().Credentials)},
		"mediatest.Requests":  {held(srv.Requests()), inside(srv.Requests())},
		"mediatest.Medias":    {held(srv.Medias()), held(srv.Uploads())},
		"alimedia.Config":     {held(own), inside(own)},
		"vod.Client":          {held(video), inside(video), held(*video), inside(*video)},
		"ice.Client":          {held(media), inside(media), held(*media), inside(*media)},
		"upload.Config":       {held(ucfg), inside(ucfg)},
		"upload.Uploader":     {held(up), inside(up)},
		"upload.Result":       {held(res), inside(res)},
		"upload.URL":          {held(page), inside(page)},
		"upload.Job":          {held(upload.Job{Source: page}), inside(upload.Job{Source: page})},
		"events.Receiver":     {held(receiver), inside(receiver)},
		"vod.Response":        {held(created)},
		"events.Config":       {held(ecfg)},
		"mediatest.Callback":  {held(callback)},
		"Credentials":         {held(srv.Credentials()), held(temporary)},
		"alimedia.Secret":     {held(alimedia.Secret(planted))},
		"AssumeRole":          {held(credentials.AssumeRole(own.Credentials, credentials.AssumeRoleOptions{RoleArn: "acs:ram::1:role/r"}))},
		"AssumeRoleOptions":   {held(credentials.AssumeRoleOptions{RoleArn: "acs:ram::1:role/r"})},
		"vod.SetMessageCallb": {held(vod.SetMessageCallbackRequest{AuthKey: planted})},
		"ice.SetEventCallbac": {held(ice.SetEventCallbackRequest{AuthKey: planted})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, v := range values {
				requireHidden(t, secrets, v)
			}
		})
	}
}
