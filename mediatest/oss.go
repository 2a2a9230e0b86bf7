package mediatest

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// aim finds out which OSS operation a request is, and on what. The bucket is
// the first label of a host such as own.oss-cn-shanghai.aliyuncs.com or
// own.localhost, else the first element of the path.
func (x *exchange) aim() {
	path := strings.TrimPrefix(x.r.URL.EscapedPath(), "/")
	if bucket := virtualHost(x.r.Host); bucket != "" {
		x.bucket, x.key = bucket, pathUnescape(path)
	} else {
		bucket, key, _ := strings.Cut(path, "/")
		x.bucket, x.key = pathUnescape(bucket), pathUnescape(key)
	}
	if x.key == "" {
		x.operation = bucketOperation(x.r.Method, x.query, x.bucket)
		if x.r.Method == http.MethodPost && x.operation == unsupported && isForm(x.r) {
			x.operation = "PostObject"
		}
	} else {
		x.operation = objectOperation(x.r, x.query)
	}
}

// virtualHost is the bucket that a host names; empty where the path does.
func virtualHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	bucket, rest, _ := strings.Cut(host, ".")
	if strings.HasPrefix(rest, "oss-") || rest == "localhost" {
		return bucket
	}
	return ""
}

func pathUnescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

const unsupported = "Unsupported"

// bucketSubresources make another operation of a request of a bucket than the
// one that its method says.
var bucketSubresources = strings.Fields("acl bucketInfo cors encryption inventory lifecycle location logging policy referer replication " +
	"requestPayment resourceGroup stat style tagging transferAcceleration versioning versions website worm")

// bucketOperation is the operation of a request without a key.
func bucketOperation(method string, q url.Values, bucket string) string {
	sub := ""
	if i := slices.IndexFunc(bucketSubresources, q.Has); i >= 0 {
		sub = bucketSubresources[i]
	}
	switch method + " " + sub {
	case "GET acl":
		return "GetBucketAcl"
	case "GET bucketInfo":
		return "GetBucketInfo"
	case "GET location":
		return "GetBucketLocation"
	case "PUT ":
		return "PutBucket"
	case "DELETE ":
		return "DeleteBucket"
	case "POST ":
		if q.Has("delete") {
			return "DeleteMultipleObjects"
		}
	case "GET ":
		switch {
		case bucket == "":
			return "ListBuckets"
		case q.Has("uploads"):
			return "ListMultipartUploads"
		}
		return "ListObjects"
	}
	return unsupported
}

// labelOperations are the operations of the tags and the ACL of an object.
var labelOperations = map[string]string{
	"GET acl": "GetObjectACL", "PUT acl": "PutObjectACL",
	"GET tagging": "GetObjectTagging", "PUT tagging": "PutObjectTagging", "DELETE tagging": "DeleteObjectTagging",
}

// objectOperation is the operation of a request with a key.
func objectOperation(r *http.Request, q url.Values) string {
	for _, label := range []string{"acl", "tagging"} {
		if q.Has(label) {
			return cmp.Or(labelOperations[r.Method+" "+label], unsupported)
		}
	}
	for _, other := range []string{"delete", "restore", "symlink", "x-oss-process"} {
		if q.Has(other) {
			return unsupported
		}
	}
	switch r.Method {
	case http.MethodPut:
		switch {
		case r.Header.Get("x-oss-copy-source") != "":
			if q.Has("uploadId") {
				return "UploadPartCopy"
			}
			return "CopyObject"
		case q.Has("uploadId"):
			return "UploadPart"
		}
		return "PutObject"
	case http.MethodPost:
		switch {
		case q.Has("uploads"):
			return "InitiateMultipartUpload"
		case q.Has("uploadId"):
			return "CompleteMultipartUpload"
		case q.Has("append"):
			return "AppendObject"
		}
	case http.MethodGet:
		if q.Has("uploadId") {
			return "ListParts"
		}
		return "GetObject"
	case http.MethodHead:
		if q.Has("objectMeta") {
			return "GetObjectMeta"
		}
		return "HeadObject"
	case http.MethodDelete:
		if q.Has("uploadId") {
			return "AbortMultipartUpload"
		}
		return "DeleteObject"
	}
	return unsupported
}

// reply is a successful answer of OSS; its headers are set already.
type reply struct {
	status int     // 0 means 200
	xml    any     // body to encode
	json   []byte  // body as it is
	object *object // body to serve; its pieces are retained
}

// ossOperations lock mu themselves, since receiving a body takes its time.
// They may set headers but leave the writing to serveOSS.
var ossOperations = map[string]func(*Server, *exchange) (reply, error){
	"PutObject":               (*Server).putObject,
	"PostObject":              (*Server).postObject,
	"GetObject":               (*Server).getObject,
	"HeadObject":              (*Server).getObject,
	"DeleteObject":            (*Server).deleteObject,
	"InitiateMultipartUpload": (*Server).initiate,
	"UploadPart":              (*Server).uploadPart,
	"ListParts":               (*Server).listParts,
	"CompleteMultipartUpload": (*Server).complete,
	"AbortMultipartUpload":    (*Server).abort,
	"ListMultipartUploads":    (*Server).listUploads,
	"ListObjects":             (*Server).listObjects,
	"CopyObject":              (*Server).copyObject,
	"UploadPartCopy":          (*Server).uploadPartCopy,
	"AppendObject":            (*Server).appendObject,
	"GetObjectMeta":           (*Server).getObject,
	"DeleteMultipleObjects":   (*Server).deleteObjects,
	"GetObjectACL":            (*Server).getObjectACL,
	"PutObjectACL":            (*Server).putObjectACL,
	"GetObjectTagging":        (*Server).getTagging,
	"PutObjectTagging":        (*Server).putTagging,
	"DeleteObjectTagging":     (*Server).deleteTagging,
	"ListBuckets":             (*Server).listBuckets,
	"PutBucket":               (*Server).putBucket,
	"DeleteBucket":            (*Server).deleteBucket,
	"GetBucketInfo":           (*Server).bucketInfo,
	"GetBucketLocation":       (*Server).bucketLocation,
	"GetBucketAcl":            (*Server).bucketACL,
}

// serveOSS answers an OSS request.
func (s *Server) serveOSS(x *exchange) {
	x.identify()
	var answer reply
	err := s.admit(x)
	if err == nil {
		answer, err = ossOperations[x.operation](s, x)
	}
	var f failure
	switch {
	case err == nil:
		x.reply(answer)
		if answer.object != nil {
			s.vault.release(answer.object.pieces)
		}
	case errors.As(err, &f):
		x.drain()
		x.refuse(f)
	default:
		x.cut() // the body did not arrive in full
	}
}

func (x *exchange) reply(r reply) {
	switch {
	case r.object != nil && (len(r.object.pieces) == 0 || x.r.Method == http.MethodHead): // empty, or no bytes asked for
		x.w.Header().Set("Last-Modified", r.object.modified.Format(http.TimeFormat))
		x.w.Header().Set("Content-Length", strconv.FormatInt(r.object.size, 10))
		x.w.Header().Set("Accept-Ranges", "bytes")
	case r.object != nil:
		http.ServeContent(x.w, x.r, "", r.object.modified, x.srv.vault.reader(r.object.pieces))
		return
	case r.xml != nil:
		text, err := xml.Marshal(r.xml)
		if err != nil {
			x.refuse(refused(500, "InternalError", "encode the answer: %v", err))
			return
		}
		text = append([]byte(xml.Header), text...)
		x.body200("application/xml", r.status, text)
		return
	case r.json != nil:
		x.body200("application/json", r.status, r.json)
		return
	}
	x.w.WriteHeader(cmp.Or(r.status, http.StatusOK))
}

// body200 writes a body.
func (x *exchange) body200(kind string, status int, text []byte) {
	x.w.Header().Set("Content-Type", kind)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(cmp.Or(status, http.StatusOK))
	_, _ = x.w.Write(text)
}

// admit checks who asks, and whether they may. A form says so itself.
func (s *Server) admit(x *exchange) error {
	if x.operation == "PostObject" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k, err := s.authenticate(x)
	x.by, x.home = k, s.buckets[x.bucket]
	if err != nil {
		return err
	}
	return s.permit(x, k)
}

// permit checks whether a key may do what is asked. The caller holds mu.
func (s *Server) permit(x *exchange, k *key) error {
	switch {
	case x.operation == unsupported:
		return refused(501, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
	case !k.may(x.bucket, x.key), s.buckets[x.bucket] != nil && !k.owner.owns(x.bucket) && x.operation != "PutBucket":
		return errBucketACL
	case k.allow(ossAction(x.operation)) != nil:
		return refused(403, "AccessDenied", "You have no permission to do %s: no policy of the user allows it.", ossAction(x.operation))
	case s.buckets[x.bucket] == nil && x.operation != "ListBuckets" && x.operation != "PutBucket":
		return noSuchBucket(x.bucket)
	case len(x.key) > 1023 || strings.HasPrefix(x.key, "/") || strings.HasPrefix(x.key, `\`):
		return refused(400, "InvalidObjectName", "The specified object is not valid.")
	}
	return nil
}

// still refuses when the bucket of a request that was admitted has gone since, by
// DeleteBucket, Reset or Load. The caller holds mu.
func (s *Server) still(x *exchange) error {
	if b := s.buckets[x.bucket]; b == nil || b != x.home {
		return noSuchBucket(x.bucket)
	}
	return nil
}

// ossAction is what a RAM policy calls an operation. Several operations share
// the name of the one that reads, writes or deletes an object.
func ossAction(operation string) string {
	switch operation {
	case "HeadObject", "GetObjectMeta":
		operation = "GetObject"
	case "AppendObject", "PostObject", "CopyObject", "InitiateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		operation = "PutObject"
	case "DeleteMultipleObjects":
		operation = "DeleteObject"
	}
	return "oss:" + operation
}

var errBucketACL = refused(403, "AccessDenied", "You have no right to access this object because of bucket acl.")

func noSuchBucket(name string) failure {
	return failure{status: 404, code: "NoSuchBucket", message: "The specified bucket does not exist.", extra: [][2]string{{"BucketName", name}}}
}

func noSuchKey(key string) failure {
	return failure{status: 404, code: "NoSuchKey", message: "The specified key does not exist.", extra: [][2]string{{"Key", key}}}
}

func (s *Server) putObject(x *exchange) (reply, error) {
	settings, err := settingsOf(x.r.Header)
	if err != nil {
		return reply{}, err
	}
	cb, err := x.callbackOf()
	if err != nil {
		return reply{}, err
	}
	b, err := s.receiveChecked(x)
	if err != nil {
		return reply{}, err
	}
	o := &object{blob: b, etag: s.etag(b), header: settings}
	if err := s.put(x, o); err != nil {
		s.vault.release(b.pieces)
		return reply{}, err
	}
	x.setStored(o.etag, o.blob)
	return s.callBack(x, cb, o, reply{})
}

// put stores the object of a request in its place.
func (s *Server) put(x *exchange, o *object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(s.still(x), s.mayOverwrite(x)); err != nil {
		return err
	}
	s.store(x.bucket, x.key, o)
	return nil
}

// receiveChecked reads the body and compares it with the Content-MD5.
func (s *Server) receiveChecked(x *exchange) (blob, error) {
	if x.r.ContentLength < 0 && len(x.r.TransferEncoding) == 0 {
		return blob{}, refused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	b, err := s.receive(x.r)
	if err != nil {
		return b, err
	}
	if err := checkMD5(x.r.Header, b.md5); err != nil {
		s.vault.release(b.pieces)
		return blob{}, err
	}
	return b, nil
}

// checkMD5 compares a body with the Content-MD5 of the request, if any.
func checkMD5(h http.Header, got [md5.Size]byte) error {
	sum := h.Get("Content-MD5")
	if sum == "" || sum == base64.StdEncoding.EncodeToString(got[:]) {
		return nil
	}
	return failure{status: 400, code: "InvalidDigest", message: "The Content-MD5 you specified was invalid.", extra: [][2]string{{"Content-MD5", sum}}}
}

// setStored sets the headers that answer an upload of bytes.
func (x *exchange) setStored(etag string, b blob) {
	h := x.w.Header()
	h.Set("ETag", etag)
	h.Set("x-oss-hash-crc64ecma", strconv.FormatUint(b.crc, 10))
	if !x.srv.opts.discard {
		h.Set("Content-MD5", base64.StdEncoding.EncodeToString(b.md5[:]))
	}
}

// writeOSSError writes the XML document, or puts it into a header where the
// answer has no body.
func writeOSSError(x *exchange, f failure) {
	elements := append([][2]string{
		{"Code", f.code}, {"Message", f.message}, {"RequestId", x.id}, {"HostId", x.r.Host},
	}, f.extra...)
	if f.ec != "" {
		x.w.Header().Set("x-oss-ec", f.ec)
		elements = append(elements, [2]string{"EC", f.ec}, [2]string{"RecommendDoc", "https://api.aliyun.com/troubleshoot?q=" + f.ec})
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Error>\n")
	for _, e := range elements {
		b.WriteString("  <" + e[0] + ">")
		_ = xml.EscapeText(&b, []byte(e[1])) // a Buffer takes everything
		b.WriteString("</" + e[0] + ">\n")
	}
	b.WriteString("</Error>\n")
	h := x.w.Header()
	if x.r.Method == http.MethodHead {
		h.Set("x-oss-err", base64.StdEncoding.EncodeToString(b.Bytes()))
		x.w.WriteHeader(f.status)
		return
	}
	if f.status == http.StatusNotModified { // has no body
		x.w.WriteHeader(f.status)
		return
	}
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	x.w.WriteHeader(f.status)
	_, _ = x.w.Write(b.Bytes())
}
