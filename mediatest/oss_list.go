package mediatest

import (
	"encoding/base64"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// listed is an object in a listing.
type listed struct {
	Key, LastModified, ETag, Type string
	Size                          int64
	StorageClass                  string
	Owner                         *owner
}

type commonPrefix struct{ Prefix string }

// listPage is a page of the keys of a bucket: objects, and prefixes that end at
// a delimiter.
type listPage struct {
	objects  []listed
	prefixes []commonPrefix
	next     string // the last key or prefix, when there are more
}

// keysAfter pages through the keys behind a marker. ListObjectsV2 names their
// owner only when it is asked for. The caller holds mu.
func (s *Server) keysAfter(x *exchange, marker string, most int) listPage {
	prefix, delimiter := x.query.Get("prefix"), x.query.Get("delimiter")
	var page listPage
	b := s.buckets[x.bucket]
	if b == nil {
		return page // it went away with Reset
	}
	var of *owner
	if x.query.Get("list-type") != "2" || x.query.Get("fetch-owner") == "true" {
		o := b.owner.ossOwner()
		of = &o
	}
	last, n := "", 0
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, prefix) || key <= marker {
			continue
		}
		common := commonOf(key, prefix, delimiter)
		if common != "" && (common == last || common <= marker) {
			continue // told already
		}
		if n == most {
			page.next = last
			break
		}
		n++
		if last = key; common != "" {
			last = common
			page.prefixes = append(page.prefixes, commonPrefix{x.encoded(common)})
			continue
		}
		o := b.objects[key]
		page.objects = append(page.objects, listed{
			Key: x.encoded(key), LastModified: o.modified.Format(ossTime), ETag: o.etag, Size: o.size, StorageClass: "Standard",
			Type: o.kind.String(), Owner: of,
		})
	}
	return page
}

// commonOf is the part of a key up to the first delimiter behind the prefix;
// empty when there is none.
func commonOf(key, prefix, delimiter string) string {
	i := strings.Index(key[len(prefix):], delimiter)
	if delimiter == "" || i < 0 {
		return ""
	}
	return key[:len(prefix)+i+len(delimiter)]
}

func (s *Server) listObjects(x *exchange) (reply, error) {
	most, err := x.number("max-keys", 100, 1, maxListing)
	if err != nil {
		return reply{}, err
	}
	q := x.query
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Get("list-type") == "2" {
		marker := q.Get("start-after")
		if token := q.Get("continuation-token"); token != "" {
			text, err := base64.StdEncoding.DecodeString(token)
			if err != nil {
				return reply{}, refused(400, "InvalidArgument", "The continuation-token is not valid.")
			}
			marker = string(text)
		}
		page := s.keysAfter(x, marker, most)
		return reply{xml: struct {
			XMLName               xml.Name `xml:"ListBucketResult"`
			Name, Prefix          string
			StartAfter            string `xml:",omitempty"`
			ContinuationToken     string `xml:",omitempty"`
			MaxKeys               int
			Delimiter             string
			EncodingType          string `xml:",omitempty"`
			IsTruncated           bool
			NextContinuationToken string `xml:",omitempty"`
			Contents              []listed
			CommonPrefixes        []commonPrefix
			KeyCount              int
		}{
			Name: x.bucket, Prefix: x.encoded(q.Get("prefix")), StartAfter: x.encoded(q.Get("start-after")), ContinuationToken: q.Get("continuation-token"),
			MaxKeys: most, Delimiter: x.encoded(q.Get("delimiter")), EncodingType: q.Get("encoding-type"), IsTruncated: page.next != "",
			NextContinuationToken: base64.StdEncoding.EncodeToString([]byte(page.next)), Contents: page.objects, CommonPrefixes: page.prefixes,
			KeyCount: len(page.objects) + len(page.prefixes),
		}}, nil
	}
	page := s.keysAfter(x, q.Get("marker"), most)
	return reply{xml: struct {
		XMLName              xml.Name `xml:"ListBucketResult"`
		Name, Prefix, Marker string
		MaxKeys              int
		Delimiter            string
		EncodingType         string `xml:",omitempty"`
		IsTruncated          bool
		NextMarker           string `xml:",omitempty"`
		Contents             []listed
		CommonPrefixes       []commonPrefix
	}{
		Name: x.bucket, Prefix: x.encoded(q.Get("prefix")), Marker: x.encoded(q.Get("marker")), MaxKeys: most, Delimiter: x.encoded(q.Get("delimiter")),
		EncodingType: q.Get("encoding-type"), IsTruncated: page.next != "", NextMarker: x.encoded(page.next), Contents: page.objects, CommonPrefixes: page.prefixes,
	}}, nil
}

// allowOrigin answers a browser on another origin as a bucket does whose CORS
// rule allows everything, and reports whether that was all it asked.
func allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Date, x-oss-request-id, x-oss-hash-crc64ecma, x-oss-next-append-position, x-acs-request-id")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, PUT, POST, DELETE, HEAD")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "100")
	return true
}
