// Package bench measures this SDK side by side with its peers. It is a module
// of its own so that no user carries the peers.
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapiutil "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
	"github.com/alimedia/alimedia-go/ice"
)

const (
	inputURL = "oss://example-bucket/example.mp4"
	mediaId  = "5e778ec0027b71ed80a8909598506302"
	userData = `{"MessageCallback":{"CallbackURL":"http://test.test.com"},"Extend":{"localId":"xxx","test":"www"}}`
)

// cannedServer answers every request with the sample of RegisterMediaStream.
// It allocates nothing per request: the figures are the clients' own.
func cannedServer(b *testing.B) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { l.Close() })
	body := fmt.Sprintf(`{"RequestId":"******11-DB8D-4A9A-875B-275798******","MediaId":%q}`, mediaId)
	reply := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: %d\r\nx-acs-request-id: 1\r\n\r\n%s", len(body), body)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if bytes.Equal(line, []byte("\r\n")) {
						if _, err := conn.Write(reply); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// BenchmarkCall is one RegisterMediaStream over loopback: ours, what Alibaba's
// generated client does, and the bare exchange both stand on.
func BenchmarkCall(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		media, err := ice.New(alimedia.Config{
			Region:      "cn-shanghai",
			Endpoint:    "http://" + cannedServer(b),
			Credentials: credentials.Static("LTAIexample", "secret", ""),
		})
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			out, err := media.RegisterMediaStream(b.Context(), ice.RegisterMediaStreamRequest{
				InputURL: inputURL, MediaId: mediaId, UserData: ice.UserData{Raw: userData},
			})
			if err != nil || out.MediaId != mediaId {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("official", func(b *testing.B) {
		client, err := openapi.NewClient(&openapiutil.Config{
			AccessKeyId:     dara.String("LTAIexample"),
			AccessKeySecret: dara.String("secret"),
			Endpoint:        dara.String(cannedServer(b)),
			Protocol:        dara.String("HTTP"),
		})
		require.NoError(b, err)
		params := &openapiutil.Params{
			Action: dara.String("RegisterMediaStream"), Version: dara.String("2020-11-09"), Protocol: dara.String("HTTP"),
			Pathname: dara.String("/"), Method: dara.String("POST"), AuthType: dara.String("AK"), Style: dara.String("RPC"),
			ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
		}
		type body struct {
			MediaId   *string `json:"MediaId,omitempty"`
			RequestId *string `json:"RequestId,omitempty"`
		}
		type response struct {
			Headers    map[string]*string `json:"headers,omitempty"`
			StatusCode *int32             `json:"statusCode,omitempty"`
			Body       *body              `json:"body,omitempty"`
		}
		b.ReportAllocs()
		for b.Loop() {
			query := map[string]any{"InputURL": dara.String(inputURL), "MediaId": dara.String(mediaId), "UserData": dara.String(userData)}
			result, err := client.CallApiWithCtx(b.Context(), params, &openapiutil.OpenApiRequest{Query: openapiutil.Query(query)}, &dara.RuntimeOptions{})
			if err != nil {
				b.Fatal(err)
			}
			out := new(response)
			if err := dara.Convert(result, out); err != nil || *out.Body.MediaId != mediaId {
				b.Fatal(out, err)
			}
		}
	})
	b.Run("net/http", func(b *testing.B) {
		client := &http.Client{Transport: new(http.Transport)}
		defer client.CloseIdleConnections()
		url := "http://" + cannedServer(b) + "/?InputURL=" + inputURL + "&MediaId=" + mediaId
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, nil)
			if err != nil {
				b.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
}
