package mediatest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestOSS_EveryOperationRefusesABucketThatHasGone runs each operation as if the
// bucket had gone right after the request was admitted.
func TestOSS_EveryOperationRefusesABucketThatHasGone(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"DeleteMultipleObjects": `<Delete><Object><Key>key</Key></Object></Delete>`, "PutObjectTagging": `<Tagging><TagSet></TagSet></Tagging>`,
		"CompleteMultipartUpload": `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>`,
	}
	refused := 0
	for operation, do := range ossOperations {
		if operation == "PostObject" {
			continue // is admitted by its form, see TestOSS_ABucketGoesAwayWhileBytesCome
		}
		for name, goes := range map[string]func(*Server){
			"gone":    func(s *Server) { delete(s.buckets, "own") },
			"another": func(s *Server) { s.buckets["own"] = newBucket(s.accounts[0], "cn-beijing") },
			"others":  func(s *Server) { s.buckets["own"] = newBucket(s.addAccount("77"), "cn-beijing") },
		} {
			t.Run(operation+" "+name, func(t *testing.T) {
				s := New(t, InMemory())
				s.PutObject("own", "key", []byte("bytes"))
				r := httptest.NewRequest(http.MethodPost, "http://own.localhost/key?uploadId=U&partNumber=1&position=0", strings.NewReader(bodies[operation]))
				r.Header.Set("x-oss-copy-source", "/own/key")
				r.Header.Set("x-oss-object-acl", "private")
				x := &exchange{srv: s, r: r, query: r.URL.Query(), operation: operation, bucket: "own", key: "key"}
				x.w = &answerWriter{ResponseWriter: &captured{header: http.Header{}}, x: x}
				x.record, x.body = newRequest(x, s.now()), &countingBody{ReadCloser: r.Body}
				s.mu.Lock()
				x.by, x.home = s.keys[s.Credentials().AccessKeyId], s.buckets["own"]
				s.uploads["U"] = &upload{id: "U", bucket: "own", key: "key", parts: map[int]*part{}, aborted: true, receiving: 1}
				goes(s)
				if operation == "UploadPart" || operation == "AbortMultipartUpload" {
					s.uploads["U"].aborted = false
				}
				s.mu.Unlock()
				_, err := do(s, x)
				s.mu.Lock()
				defer s.mu.Unlock()
				if b := s.buckets["own"]; b != nil {
					require.Empty(t, b.objects)
				}
				if err != nil {
					var f failure
					require.ErrorAs(t, err, &f)
					require.Contains(t, []string{"NoSuchBucket", "NoSuchKey", "NoSuchUpload", "BucketAlreadyExists", "AccessDenied"}, f.code)
					refused++
				}
				require.Empty(t, s.uploads["U"].parts)
			})
		}
	}
	require.Greater(t, refused, 50)
}
