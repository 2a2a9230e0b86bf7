package mediatest

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash/crc64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxPut     = 5 << 30 // PutObject and a single part
	minPart    = 100 << 10
	maxParts   = 10000
	maxListing = 1000
)

type bucket struct {
	owner   *Account
	region  string
	created time.Time
	objects map[string]*object
}

func newBucket(owner *Account, region string) *bucket {
	return &bucket{owner: owner, region: region, created: owner.srv.now(), objects: map[string]*object{}}
}

// blob is what is known of received bytes.
type blob struct {
	pieces []*piece // of its bytes, in the vault; none when discarded
	size   int64
	md5    [md5.Size]byte // zero when discarded and nobody asked for it
	crc    uint64
}

// hollow reports whether the bytes are not there, see Discard and Save.
func (b blob) hollow() bool { return b.size > 0 && len(b.pieces) == 0 }

type object struct {
	blob
	etag     string
	header   http.Header // see settingsOf
	kind     objectKind
	modified time.Time
}

// upload is an open multipart upload.
type upload struct {
	id          string
	bucket, key string
	header      http.Header // see settingsOf
	initiated   time.Time
	parts       map[int]*part
	receiving   int  // parts on their way in
	aborted     bool // while parts were on their way in, which may still be stored
}

// open reports whether the upload exists for its users.
func (u *upload) open() bool { return u != nil && (!u.aborted || len(u.parts) > 0) }

type part struct {
	blob
	number   int
	etag     string
	modified time.Time
}

// Upload is an open multipart upload.
type Upload struct {
	UploadId  string
	Bucket    string
	Key       string
	Initiated time.Time
	Parts     []Part // by number
}

// Part is a part of an open multipart upload.
type Part struct {
	Number int
	Size   int64
	ETag   string
}

// CreateBucket makes a bucket in the server's region, as the first account's
// own. A bucket that exists stays as it is.
func (s *Server) CreateBucket(name string) { s.first.Load().CreateBucket(name) }

// CreateBucket makes a bucket in the server's region, as the account's own. A
// bucket that the account has stays as it is; one of another account is a
// mistake.
func (acc *Account) CreateBucket(name string) {
	s := acc.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[name]; b != nil && b.owner != acc {
		s.misuse("CreateBucket: %s belongs to another account", name)
		return
	}
	s.ensureBucket(acc, name)
}

func (s *Server) ensureBucket(owner *Account, name string) {
	if s.buckets[name] == nil {
		s.buckets[name] = newBucket(owner, s.opts.region)
	}
}

// StorageBucket is the name of the bucket that the services manage for the
// first account, where uploads with an UploadAddress go.
func (s *Server) StorageBucket() string { return s.first.Load().storage }

// StorageBucket is the name of the bucket that the services manage for the
// account, where uploads with an UploadAddress go.
func (acc *Account) StorageBucket() string { return acc.storage }

// PutObject stores an object, in a new bucket of the first account if need be.
func (s *Server) PutObject(bucket, key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ensureBucket(s.first.Load(), bucket)
	s.keep(bucket, key, data)
}

// Object returns the bytes of an object and whether there is such an object.
// With [Discard] there are no bytes, and neither are there after Close where
// they went into the temporary file, see [MemoryLimit].
func (s *Server) Object(bucket, key string) ([]byte, bool) {
	s.mu.Lock()
	o := s.object(bucket, key)
	if o == nil {
		s.mu.Unlock()
		return nil, false
	}
	pieces := s.vault.retain(o.pieces)
	s.mu.Unlock()
	defer s.vault.release(pieces)
	if len(pieces) == 0 {
		return nil, true
	}
	data := make([]byte, o.size)
	if _, err := s.vault.reader(pieces).ReadAt(data, 0); err != nil {
		s.misuse("Object: the bytes of %s were in the temporary file: %v", key, unkept(err))
		return nil, true
	}
	return data, true
}

// ObjectInfo is the size and CRC-64/ECMA of an object, which are known with
// [Discard] too.
func (s *Server) ObjectInfo(bucket, key string) (size int64, crc uint64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(bucket, key)
	if o == nil {
		return 0, 0, false
	}
	return o.size, o.crc, true
}

// ObjectHeader is what was said of an object when it was uploaded: its
// Content-Type, Content-Disposition, Cache-Control, Content-Encoding,
// Content-Language and Expires, x-oss-storage-class, x-oss-object-acl,
// x-oss-tagging, x-oss-server-side-encryption and x-oss-meta-*. It is nil when
// there is no such object.
func (s *Server) ObjectHeader(bucket, key string) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.object(bucket, key)
	if o == nil {
		return nil
	}
	h := o.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	return h
}

// Objects lists the keys of a bucket, sorted.
func (s *Server) Objects(bucket string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[bucket]; b != nil {
		return slices.Sorted(maps.Keys(b.objects))
	}
	return nil
}

// ObjectURL is the InputURL (or FileURL) of an object:
// http://bucket.oss-region.aliyuncs.com/key.
func (s *Server) ObjectURL(bucket, key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objectURL(bucket, key)
}

func (s *Server) objectURL(bucket, key string) string {
	region := s.opts.region
	if b := s.buckets[bucket]; b != nil {
		region = b.region
	}
	return "http://" + bucket + ".oss-" + region + ".aliyuncs.com/" + escapeKey(key)
}

// Uploads lists the multipart uploads that are neither completed nor aborted,
// oldest first.
func (s *Server) Uploads() []Upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Upload
	for _, u := range s.uploads {
		if u.open() {
			all = append(all, u.public())
		}
	}
	slices.SortFunc(all, func(a, b Upload) int {
		return cmp.Or(a.Initiated.Compare(b.Initiated), cmp.Compare(a.UploadId, b.UploadId))
	})
	return all
}

func (u *upload) public() Upload {
	p := Upload{UploadId: u.id, Bucket: u.bucket, Key: u.key, Initiated: u.initiated}
	for _, q := range u.sorted() {
		p.Parts = append(p.Parts, Part{Number: q.number, Size: q.size, ETag: q.etag})
	}
	return p
}

func (u *upload) sorted() []*part {
	return slices.SortedFunc(maps.Values(u.parts), func(a, b *part) int { return cmp.Compare(a.number, b.number) })
}

// The functions below are called with mu held.

func (s *Server) object(bucket, key string) *object {
	if b := s.buckets[bucket]; b != nil {
		return b.objects[key]
	}
	return nil
}

// owns reports whether the bucket exists and is the account's.
func (acc *Account) owns(bucket string) bool {
	b := acc.srv.buckets[bucket]
	return b != nil && b.owner == acc
}

// owned finds an object among those of the account.
func (acc *Account) owned(bucket, key string) *object {
	if !acc.owns(bucket) {
		return nil
	}
	return acc.srv.object(bucket, key)
}

// store puts an object in its place and tells the media library.
func (s *Server) store(bucket, key string, o *object) {
	if s.buckets[bucket] == nil { // went away with Reset while the bytes came
		s.vault.release(o.pieces)
		return
	}
	if old := s.object(bucket, key); old != nil {
		s.vault.release(old.pieces)
	}
	o.modified = s.now().Truncate(time.Second)
	s.buckets[bucket].objects[key] = o
	s.arrived(bucket, key, o.size)
}

func (s *Server) remove(bucket, key string) {
	if o := s.object(bucket, key); o != nil {
		s.vault.release(o.pieces)
		delete(s.buckets[bucket].objects, key)
	}
}

// etag is the MD5, or something as unique where no MD5 was made.
func (s *Server) etag(b blob) string {
	if s.opts.discard {
		return `"` + strings.ToUpper(crcETag(b)) + `"`
	}
	return `"` + strings.ToUpper(hex.EncodeToString(b.md5[:])) + `"`
}

func crcETag(b blob) string {
	var text [16]byte
	for i := range 8 {
		text[i] = byte(b.crc >> (56 - 8*i))
		text[8+i] = byte(b.size >> (56 - 8*i))
	}
	return hex.EncodeToString(text[:])
}

// keep stores an object that the service itself writes.
func (s *Server) keep(bucket, key string, data []byte) {
	b, err := s.blobOf(data)
	if err != nil {
		s.misuse("%s/%s is not stored: %v", bucket, key, err)
		return
	}
	s.store(bucket, key, &object{blob: b, etag: s.etag(b)})
}

// blobOf puts bytes into the vault.
func (s *Server) blobOf(data []byte) (blob, error) {
	b := blob{size: int64(len(data)), md5: md5.Sum(data), crc: crc64.Checksum(data, crcTable)}
	if s.opts.discard {
		return b, nil
	}
	w := s.vault.writer(b.size)
	if _, err := w.Write(data); err != nil {
		w.drop()
		return b, err
	}
	b.pieces = w.pieces
	return b, nil
}

var errTooLarge = refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")

// receive reads a request body, without mu.
func (s *Server) receive(r *http.Request) (blob, error) {
	if r.ContentLength > maxPut {
		return blob{}, errTooLarge
	}
	return s.take(r.Body, r.ContentLength, !s.opts.discard || r.Header.Get("Content-MD5") != "")
}

// take puts the bytes of r into the vault; expected says how many there will be,
// if it is known.
func (s *Server) take(r io.Reader, expected int64, wantMD5 bool) (blob, error) {
	var b blob
	held := s.vault.writer(expected)
	var crc sparseCRC
	sum := md5.New()
	sinks := []io.Writer{&crc}
	if wantMD5 {
		sinks = append(sinks, sum)
	}
	if !s.opts.discard {
		sinks = append(sinks, held)
	}
	n, err := io.Copy(io.MultiWriter(sinks...), io.LimitReader(r, maxPut+1))
	if err == nil && n > maxPut {
		err = errTooLarge
	}
	if err != nil {
		held.drop()
		var f failure
		if errors.As(err, &f) {
			return b, f
		}
		return b, errors.Join(errGone, err)
	}
	b = blob{pieces: held.pieces, size: n, crc: crc.sum}
	if wantMD5 {
		sum.Sum(b.md5[:0])
	}
	return b, nil
}

// escapeKey writes a key as the path of a URL.
func escapeKey(key string) string {
	segments := strings.Split(key, "/")
	for i, seg := range segments {
		segments[i] = percentEncode(seg)
	}
	return strings.Join(segments, "/")
}

// locate finds bucket and key of http(s)://bucket.oss-region.aliyuncs.com/key
// or oss://bucket/key.
func (s *Server) locate(address string) (bucket, key string, ok bool) {
	if rest, found := strings.CutPrefix(address, "oss://"); found {
		bucket, key, _ = strings.Cut(rest, "/")
		return bucket, key, bucket != "" && key != ""
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.User != nil {
		return "", "", false
	}
	bucket, host, _ := strings.Cut(u.Hostname(), ".")
	region, isOSS := strings.CutPrefix(host, "oss-")
	region, isAliyun := strings.CutSuffix(region, ".aliyuncs.com")
	region = strings.TrimSuffix(region, "-internal")
	key = strings.TrimPrefix(u.Path, "/")
	if !isOSS || !isAliyun || bucket == "" || key == "" {
		return "", "", false
	}
	if b := s.buckets[bucket]; b != nil && b.region != region {
		return "", "", false
	}
	return bucket, key, true
}
