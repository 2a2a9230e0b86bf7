package mediatest

import (
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const maxCompleteBody = 4 << 20

var errNoSuchUpload = failure{
	status:  404,
	code:    "NoSuchUpload",
	message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
}

func (s *Server) initiate(x *exchange) (reply, error) {
	settings, err := settingsOf(x.r.Header)
	if err != nil {
		return reply{}, err
	}
	delete(settings, "X-Oss-Object-Acl") // is for CompleteMultipartUpload
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(s.still(x), s.mayOverwrite(x)); err != nil {
		return reply{}, err
	}
	u := &upload{
		id:        strings.ToUpper(s.randomID(16)),
		bucket:    x.bucket,
		key:       x.key,
		header:    settings,
		initiated: s.now(),
		parts:     map[int]*part{},
	}
	s.uploads[u.id] = u
	return reply{xml: struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		EncodingType          string   `xml:",omitempty"`
		Bucket, Key, UploadId string
	}{EncodingType: x.query.Get("encoding-type"), Bucket: u.bucket, Key: x.encoded(u.key), UploadId: u.id}}, nil
}

// upload finds the multipart upload a request names. The caller holds mu.
func (s *Server) upload(x *exchange) (*upload, error) {
	u := s.uploads[x.query.Get("uploadId")]
	if !u.open() || u.bucket != x.bucket || u.key != x.key {
		f := errNoSuchUpload
		f.extra = [][2]string{{"UploadId", x.query.Get("uploadId")}}
		return nil, f
	}
	return u, nil
}

func (x *exchange) partNumber() (int, error) {
	number, err := strconv.Atoi(x.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return 0, ossArgument("partNumber", x.query.Get("partNumber"), "Part number must be an integer between 1 and 10000, inclusive.")
	}
	return number, nil
}

func (s *Server) uploadPart(x *exchange) (reply, error) {
	number, err := x.partNumber()
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	u, err := s.upload(x)
	if err == nil {
		u.receiving++
	}
	s.mu.Unlock()
	if err != nil {
		return reply{}, err
	}
	b, err := s.receiveChecked(x)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && u.aborted && x.hungUp() {
		err = errGone
	}
	u.receiving--
	if s.uploads[u.id] != u && err == nil {
		err = errNoSuchUpload // completed meanwhile
	}
	if gone := s.still(x); gone != nil && err == nil {
		err = gone
	}
	if err != nil {
		s.vault.release(b.pieces)
		s.forget(u)
		return reply{}, err
	}
	p := &part{blob: b, number: number, etag: s.etag(b), modified: s.now()}
	s.storePart(u, p)
	x.setStored(p.etag, p.blob)
	return reply{}, nil
}

// storePart puts a part in its place. The caller holds mu.
func (s *Server) storePart(u *upload, p *part) {
	if old := u.parts[p.number]; old != nil {
		s.vault.release(old.pieces)
	}
	u.parts[p.number] = p
}

// hungUp reports whether the client has left. It gives the news some time to
// arrive, so that who cancels its parts and then aborts leaves nothing behind,
// every time. The caller holds mu, which is released meanwhile.
func (x *exchange) hungUp() bool {
	x.srv.mu.Unlock()
	defer x.srv.mu.Lock()
	return x.wait(200*time.Millisecond) != nil
}

// forget drops an aborted upload when nothing of it is left or on its way.
func (s *Server) forget(u *upload) {
	if u.aborted && u.receiving == 0 && len(u.parts) == 0 {
		delete(s.uploads, u.id)
	}
}

// abort deletes the parts that are stored. Those that someone is still sending
// escape it, as with the real service: they are stored and need another abort.
func (s *Server) abort(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(x)
	if err != nil {
		return reply{}, err
	}
	s.drop(u)
	u.aborted = true
	s.forget(u)
	return reply{status: http.StatusNoContent}, nil
}

func (s *Server) drop(u *upload) {
	for _, p := range u.parts {
		s.vault.release(p.pieces)
	}
	clear(u.parts)
}

func (s *Server) listParts(x *exchange) (reply, error) {
	marker, err := x.number("part-number-marker", 0, 0, maxParts)
	if err != nil {
		return reply{}, err
	}
	most, err := x.number("max-parts", maxListing, 1, maxListing)
	if err != nil {
		return reply{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(x)
	if err != nil {
		return reply{}, err
	}
	type listed struct {
		PartNumber    int
		LastModified  string
		ETag          string
		HashCrc64ecma uint64
		Size          int64
	}
	answer := struct {
		XMLName               xml.Name `xml:"ListPartsResult"`
		EncodingType          string   `xml:",omitempty"`
		Bucket, Key, UploadId string
		StorageClass          string
		PartNumberMarker      int
		NextPartNumberMarker  int
		MaxParts              int
		IsTruncated           bool
		Part                  []listed
	}{
		EncodingType: x.query.Get("encoding-type"), Bucket: u.bucket, Key: x.encoded(u.key), UploadId: u.id,
		StorageClass: "Standard", PartNumberMarker: marker, MaxParts: most,
	}
	for _, p := range u.sorted() {
		if p.number <= marker {
			continue
		}
		if len(answer.Part) == most {
			answer.IsTruncated = true
			break
		}
		answer.NextPartNumberMarker = p.number
		answer.Part = append(answer.Part, listed{p.number, p.modified.Format(ossTime), p.etag, p.crc, p.size})
	}
	return reply{xml: answer}, nil
}

type completeRequest struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

// complete joins the parts. Once the list of parts has arrived it goes
// through, whether the client waits for the answer or not.
func (s *Server) complete(x *exchange) (reply, error) {
	text, err := io.ReadAll(io.LimitReader(x.r.Body, maxCompleteBody+1))
	if err != nil {
		return reply{}, errors.Join(errGone, err)
	}
	cb, err := x.callbackOf()
	if err != nil {
		return reply{}, err
	}
	o, done, err := s.join(x, text)
	if err != nil {
		return reply{}, err
	}
	return s.callBack(x, cb, o, done)
}

// join makes the object of the parts, and the answer to that.
func (s *Server) join(x *exchange, text []byte) (*object, reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.upload(x)
	if err != nil {
		return nil, reply{}, err
	}
	parts, err := u.chosen(text, strings.EqualFold(x.r.Header.Get("x-oss-complete-all"), "yes"))
	if err != nil {
		return nil, reply{}, err
	}
	if err := s.mayOverwrite(x); err != nil {
		return nil, reply{}, err
	}
	if err := s.still(x); err != nil {
		return nil, reply{}, err
	}
	o := joined(parts)
	o.header = u.header
	if acl := x.r.Header.Get("x-oss-object-acl"); acl != "" {
		if err := checkSetting("X-Oss-Object-Acl", acl); err != nil {
			return nil, reply{}, err
		}
		o.header.Set("x-oss-object-acl", acl)
	}
	s.vault.retain(o.pieces)
	s.drop(u)
	delete(s.uploads, u.id)
	s.store(u.bucket, u.key, o)
	x.w.Header().Set("ETag", o.etag)
	x.w.Header().Set("x-oss-hash-crc64ecma", strconv.FormatUint(o.crc, 10))
	return o, reply{xml: struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		EncodingType                string   `xml:",omitempty"`
		Location, Bucket, Key, ETag string
	}{
		EncodingType: x.query.Get("encoding-type"),
		Location:     s.objectURL(u.bucket, u.key), Bucket: u.bucket, Key: x.encoded(u.key), ETag: o.etag,
	}}, nil
}

// chosen checks the list of a CompleteMultipartUpload.
func (u *upload) chosen(text []byte, all bool) ([]*part, error) {
	var parts []*part
	if all {
		if len(text) > 0 {
			return nil, ossArgument("x-oss-complete-all", "yes", "The body must be empty with x-oss-complete-all.")
		}
		parts = u.sorted()
	} else {
		var list completeRequest
		if len(text) > maxCompleteBody || xml.Unmarshal(text, &list) != nil {
			return nil, errMalformedXML
		}
		for i, p := range list.Part {
			if i > 0 && p.PartNumber <= list.Part[i-1].PartNumber {
				return nil, refused(400, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
			}
			stored := u.parts[p.PartNumber]
			if stored == nil || !strings.EqualFold(strings.Trim(p.ETag, `" `), strings.Trim(stored.etag, `"`)) {
				f := refused(400, "InvalidPart", "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.")
				f.extra = [][2]string{{"UploadId", u.id}, {"PartNumber", strconv.Itoa(p.PartNumber)}}
				return nil, f
			}
			parts = append(parts, stored)
		}
	}
	if len(parts) == 0 {
		return nil, errMalformedXML
	}
	for _, p := range parts[:len(parts)-1] {
		if p.size < minPart {
			return nil, failure{
				status:  400,
				code:    "EntityTooSmall",
				message: "Your proposed upload smaller than the minimum allowed size.",
				ec:      "0042-00000213",
				extra: [][2]string{
					{"ProposedSize", strconv.FormatInt(p.size, 10)}, {"MinSizeAllowed", strconv.Itoa(minPart)},
					{"PartNumber", strconv.Itoa(p.number)},
				},
			}
		}
	}
	return parts, nil
}

var errMalformedXML = refused(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema.")

// joined is the object made of the parts, which has their pieces in common with
// them.
func joined(parts []*part) *object {
	o := &object{kind: multipartObject}
	tags, hollow := md5.New(), false
	for _, p := range parts {
		o.crc = combineCRC(o.crc, p.crc, p.size)
		o.size += p.size
		o.pieces = append(o.pieces, p.pieces...)
		hollow = hollow || p.hollow()
		_, _ = io.WriteString(tags, strings.Trim(p.etag, `"`))
	}
	if hollow {
		o.pieces = nil
	}
	o.etag = fmt.Sprintf(`"%s-%d"`, strings.ToUpper(hex.EncodeToString(tags.Sum(nil))), len(parts))
	return o
}

// encoded writes a key as the request's encoding-type asks.
func (x *exchange) encoded(key string) string {
	if strings.HasPrefix(x.query.Get("encoding-type"), "url") { // url, or url2 of DeleteMultipleObjects
		return url.QueryEscape(key)
	}
	return key
}

// number reads a numeric query parameter.
func (x *exchange) number(name string, fallback, low, high int) (int, error) {
	text := x.query.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, ossArgument(name, text, fmt.Sprintf("The argument must be an integer between %d and %d.", low, high))
	}
	return n, nil
}

func ossArgument(name, value, message string) failure {
	return failure{status: 400, code: "InvalidArgument", message: message, extra: [][2]string{{"ArgumentName", name}, {"ArgumentValue", value}}}
}
