// Command sink is the server of the upload comparison: it speaks as much of OSS
// and S3 as every client needs and throws the bytes away. As OSS does, it
// answers with the CRC-64 of what arrived. It prints its address and serves
// until its standard input ends.
//
// GET of a bucket tells what arrived there, as JSON.
package main

import (
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/alimedia/alimedia-go/internal/crc64"
)

func main() {
	delay := flag.Duration("delay", 0, "wait before each answer")
	bandwidth := flag.Int64("bandwidth", 0, "bytes per second that are taken in, over all connections; 0 is no limit")
	certificate := flag.String("certificate", "", "serve HTTPS (TLS 1.3) and write the certificate, made at start, to this `file`")
	flag.Parse()
	log.SetFlags(0)
	s := &sink{delay: *delay, buckets: make(map[string]*bucket), uploads: make(map[string]map[int]blob), objects: make(map[string]blob)}
	if *bandwidth > 0 {
		s.limit = rate.NewLimiter(rate.Limit(*bandwidth), bufferSize)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	scheme := "http"
	if *certificate != "" {
		config, err := newTLS(*certificate)
		if err != nil {
			log.Fatal(err)
		}
		l, scheme = tls.NewListener(l, config), "https"
	}
	fmt.Printf("%s://%s\n", scheme, l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	server := &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0)} // clients leave in the middle of handshakes
	log.Fatal(server.Serve(l))
}

const (
	bufferSize = 256 << 10
	etag       = `"d41d8cd98f00b204e9800998ecf8427e"`
)

var (
	buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}
)

type sink struct {
	delay time.Duration
	limit *rate.Limiter

	mu      sync.Mutex
	buckets map[string]*bucket
	uploads map[string]map[int]blob
	objects map[string]blob // by bucket and key
	opened  int
}

// bucket is what arrived in one bucket.
type bucket struct {
	Objects int
	Bytes   int64
	CRC     uint64 // of all objects, by exclusive or
}

// blob is the body of one request.
type blob struct {
	size int64
	crc  uint64
	data []byte // of a small body that is no object: a list of parts
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if key == "" && r.Method == http.MethodGet {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(s.bucket(name))
		return
	}
	body, err := s.take(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	time.Sleep(s.delay)
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("ETag", etag)
	w.Header().Set("X-Oss-Request-Id", "5E778EC0027B71ED80A89095")
	query := r.URL.Query()
	id := query.Get("uploadId")
	switch {
	case r.Method == http.MethodPost && query.Has("uploads"):
		s.opened++
		id = strconv.Itoa(s.opened)
		s.uploads[id] = make(map[int]blob)
		answer(w, "<InitiateMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>", name, key, id)
	case id != "" && s.uploads[id] == nil:
		w.WriteHeader(http.StatusNotFound)
		answer(w, "<Error><Code>NoSuchUpload</Code><Message>%s</Message></Error>", id)
	case r.Method == http.MethodPut && id != "":
		number, err := strconv.Atoi(query.Get("partNumber"))
		if err != nil {
			http.Error(w, "no part number", http.StatusBadRequest)
			return
		}
		s.uploads[id][number] = body
		tellCRC(w, body)
	case r.Method == http.MethodPut:
		s.store(w, name, key, body)
	case r.Method == http.MethodHead:
		object, ok := s.objects[name+"/"+key]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		tellCRC(w, object)
		w.Header().Set("Content-Length", strconv.FormatInt(object.size, 10))
	case r.Method == http.MethodPost && id != "":
		whole, err := join(s.uploads[id], body.data)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		delete(s.uploads, id)
		s.store(w, name, key, whole)
		answer(w, "<CompleteMultipartUploadResult><Bucket>%s</Bucket><Key>%s</Key><ETag>%s</ETag></CompleteMultipartUploadResult>", name, key, etag)
	case r.Method == http.MethodGet && id != "":
		var list strings.Builder
		for _, n := range numbers(s.uploads[id]) {
			fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>", n, etag, s.uploads[id][n].size)
		}
		answer(w, "<ListPartsResult><UploadId>%s</UploadId><IsTruncated>false</IsTruncated>%s</ListPartsResult>", id, list.String())
	case r.Method == http.MethodDelete && id != "":
		delete(s.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "the sink does not know this request", http.StatusNotImplemented)
	}
}

// take reads the body of r. Only a small one, a list of parts, is kept.
func (s *sink) take(r *http.Request) (blob, error) {
	var b blob
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	keep := r.Method == http.MethodPost
	body := io.Reader(r.Body)
	if strings.Contains(r.Header.Get("Content-Encoding"), "aws-chunked") { // with the checksum behind the bytes
		body = httputil.NewChunkedReader(r.Body)
		defer io.Copy(io.Discard, r.Body)
	}
	for {
		n, err := body.Read(buf[:])
		if s.limit != nil && n > 0 {
			if err := s.limit.WaitN(r.Context(), n); err != nil {
				return blob{}, err
			}
		}
		b.size += int64(n)
		b.crc = crc64.Update(b.crc, buf[:n])
		if keep {
			b.data = append(b.data, buf[:n]...)
		}
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return blob{}, err
		}
	}
}

func (s *sink) bucket(name string) *bucket {
	b := s.buckets[name]
	if b == nil {
		b = new(bucket)
		s.buckets[name] = b
	}
	return b
}

func (s *sink) store(w http.ResponseWriter, name, key string, object blob) {
	b := s.bucket(name)
	b.Objects++
	b.Bytes += object.size
	b.CRC ^= object.crc
	s.objects[name+"/"+key] = object
	tellCRC(w, object)
}

func tellCRC(w http.ResponseWriter, b blob) {
	w.Header().Set("X-Oss-Hash-Crc64ecma", strconv.FormatUint(b.crc, 10))
}

// join makes one object of the parts in the order that list, the document of a
// CompleteMultipartUpload, names them.
func join(parts map[int]blob, list []byte) (blob, error) {
	var doc struct {
		Part []struct{ PartNumber int }
	}
	if err := xml.Unmarshal(list, &doc); err != nil {
		return blob{}, err
	}
	var whole blob
	for _, p := range doc.Part {
		b, ok := parts[p.PartNumber]
		if !ok {
			return blob{}, fmt.Errorf("part %d was never sent", p.PartNumber)
		}
		whole.crc = crc64.Combine(whole.crc, b.crc, b.size)
		whole.size += b.size
	}
	return whole, nil
}

func numbers(parts map[int]blob) []int {
	var all []int
	for n := range parts {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

func answer(w io.Writer, format string, values ...any) {
	fmt.Fprintf(w, xml.Header+format, values...)
}
