package rpc

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

type registerMediaStream struct {
	InputURL   string `check:"url=oss"`
	MediaId    string
	StreamTags map[string]string `rpc:",json"`
	UserData   alimedia.JSON     `rpc:",json"`
}

var benchRequest = registerMediaStream{
	InputURL: "oss://example-bucket/example.mp4",
	MediaId:  "5e778ec0027b71ed80a8909598506302",
	UserData: `{"MessageCallback":{"CallbackURL":"http://test.test.com"},"Extend":{"localId":"xxx"}}`,
}

// cannedServer answers every request alike and allocates nothing, so that the
// client's own cost is what is measured.
func cannedServer(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { l.Close() })
	reply := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: 75\r\n\r\n" +
		`{"RequestId":"R-0123456789","MediaId":"5e778ec0027b71ed80a8909598506302"  }`)
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
					if len(line) == 2 {
						if _, err := conn.Write(reply); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func benchClient(b *testing.B) *Client {
	transport := &http.Transport{}
	b.Cleanup(transport.CloseIdleConnections)
	c, err := New(testService, alimedia.Config{Endpoint: cannedServer(b), Credentials: credentials.Static("LTAIexample", "secret", ""),
		HTTPClient: &http.Client{Transport: transport}})
	require.NoError(b, err)
	return c
}

func BenchmarkCall(b *testing.B) {
	c := benchClient(b)
	b.ReportAllocs()
	for b.Loop() {
		out, err := Call(context.Background(), c, Op{Action: "RegisterMediaStream"}, benchRequest, new(mediaResponse))
		if err != nil || out.MediaId == "" {
			b.Fatal(err)
		}
	}
}

// BenchmarkFloor is the same exchange without anything of ours.
func BenchmarkFloor(b *testing.B) {
	c := benchClient(b)
	p, err := Encode(benchRequest)
	require.NoError(b, err)
	a := attempt{Client: c, op: Op{Action: "RegisterMediaStream"}, params: p}
	signed := a.sign(time.Now())
	b.ReportAllocs()
	for b.Loop() {
		resp, err := c.transport.Do(signed.request(context.Background()))
		if err != nil {
			b.Fatal(err)
		}
		var buf [512]byte
		_, _ = resp.Body.Read(buf[:])
		resp.Body.Close()
	}
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(benchRequest); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	p, err := Encode(benchRequest)
	require.NoError(b, err)
	a := attempt{Client: &Client{svc: testService}, op: Op{Action: "RegisterMediaStream"}, params: p,
		keys: credentials.Credentials{AccessKeyId: "LTAIexample", AccessKeySecret: "secret"}}
	b.ReportAllocs()
	for b.Loop() {
		a.sign(time.Now())
	}
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"RequestId":"R-0123456789","MediaId":"5e778ec0027b71ed80a8909598506302"}`)
	b.ReportAllocs()
	for b.Loop() {
		if err := Decode(body, new(mediaResponse)); err != nil {
			b.Fatal(err)
		}
	}
}
