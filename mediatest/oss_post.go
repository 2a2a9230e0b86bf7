package mediatest

import (
	"cmp"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// PostObject is the upload by an HTML form. The form carries a policy, which says
// what may be uploaded, and the signature of the policy.

const maxForm = 64 << 10 // bytes of the fields before the file

var errMalformedPost = refused(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")

// postForm is the form up to its file.
type postForm struct {
	fields   map[string]string // by lower-case name
	file     io.Reader
	fileName string
	fileType string
	policy   postPolicy
}

func (s *Server) postObject(x *exchange) (reply, error) {
	form, err := readForm(x.r)
	if err != nil {
		return reply{}, err
	}
	if err := s.admitForm(x, form); err != nil {
		return reply{}, err
	}
	kept, err := settingsOf(form.header())
	if err != nil {
		return reply{}, err
	}
	cb, err := form.callback()
	if err != nil {
		return reply{}, err
	}
	b, err := s.take(form.file, -1, true)
	if err != nil {
		if _, rest := x.r.Body.Read(make([]byte, 1)); errors.Is(rest, io.EOF) && !errors.As(err, new(failure)) {
			err = errMalformedPost // all of the body is there
		}
		return reply{}, err
	}
	o := &object{blob: b, etag: s.etag(b), header: kept}
	if err := s.storeForm(x, form, o); err != nil {
		s.vault.release(b.pieces)
		return reply{}, err
	}
	x.setStored(o.etag, b)
	done, err := form.done(x, s.URL, o)
	if err != nil {
		return reply{}, err
	}
	return s.callBack(x, cb, o, done)
}

// readForm reads the fields in front of the file. Those behind it are ignored.
func readForm(r *http.Request) (*postForm, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, errMalformedPost
	}
	form := &postForm{fields: map[string]string{}}
	for left := int64(maxForm); ; {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, refused(400, "IncorrectNumberOfFilesInPOSTRequest", "POST requires exactly one file upload per request.")
		case err != nil:
			return nil, errMalformedPost
		case part.FormName() == "file":
			form.file, form.fileName, form.fileType = part, path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), part.Header.Get("Content-Type")
			return form, nil
		}
		value, err := readField(part, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(value))
		form.fields[strings.ToLower(part.FormName())] = value
	}
}

func readField(part *multipart.Part, left int64) (string, error) {
	value, err := io.ReadAll(io.LimitReader(part, left+1))
	switch {
	case err != nil:
		return "", errMalformedPost
	case int64(len(value)) > left:
		return "", refused(400, "FieldItemTooLong", "The fields of the form have more than %d bytes.", maxForm)
	}
	return string(value), nil
}

// header are the fields that an upload by PutObject has in its header.
func (f *postForm) header() http.Header {
	h := http.Header{}
	for name, value := range f.fields {
		h.Set(textproto.CanonicalMIMEHeaderKey(name), value)
	}
	if kind := cmp.Or(f.fields["x-oss-content-type"], f.fields["content-type"], f.fileType); kind != "" {
		h.Set("Content-Type", kind)
	}
	return h
}

// callback is the one that the form asks for; its variables are fields.
func (f *postForm) callback() (*uploadCallback, error) {
	cb, err := parseCallback(f.fields["callback"])
	if cb == nil || err != nil {
		return nil, err
	}
	cb.vars = map[string]string{}
	for name, value := range f.fields {
		if strings.HasPrefix(name, "x:") {
			cb.vars[name] = value
		}
	}
	return cb, nil
}

// admitForm checks who has signed the form, and whether the policy allows it.
func (s *Server) admitForm(x *exchange, f *postForm) error {
	if f.fields["key"] == "" {
		return ossArgument("key", "", "Bucket POST must contain a field named 'key'.")
	}
	x.key = strings.ReplaceAll(f.fields["key"], "${filename}", f.fileName)
	s.mu.Lock()
	defer s.mu.Unlock()
	x.record.Key = x.key
	k, err := s.formKey(x, f)
	if err != nil {
		return err
	}
	x.record.AccessKeyId = k.AccessKeyId
	x.by, x.home = k, s.buckets[x.bucket]
	if err := s.permit(x, k); err != nil {
		return err
	}
	if err := f.policy.parse(f.fields["policy"]); err != nil {
		return err
	}
	return f.policy.met(x, f, s.now())
}

// formKey is the key that has signed the policy, by either version of the
// signature. The caller holds mu.
func (s *Server) formKey(x *exchange, f *postForm) (*key, error) {
	policy, token := f.fields["policy"], f.fields["x-oss-security-token"]
	if f.fields["x-oss-signature-version"] != ossV4Scheme {
		id, signature := f.fields["ossaccesskeyid"], f.fields["signature"]
		if id == "" || policy == "" {
			return nil, errBucketACL // nobody's
		}
		k, err := s.ossKeyOf(id, token)
		if err != nil {
			return nil, err
		}
		if !hmac.Equal([]byte(ossV1Signature(k.AccessKeySecret, policy)), []byte(signature)) {
			return nil, ossMismatch(id, signature, policy)
		}
		return k, nil
	}
	scope := strings.Split(f.fields["x-oss-credential"], "/")
	date, err := time.Parse(ossV4Date, f.fields["x-oss-date"])
	if err != nil || policy == "" || len(scope) != 5 || scope[1] != date.Format("20060102") || scope[3] != "oss" || scope[4] != "aliyun_v4_request" {
		return nil, refused(400, "InvalidArgument", "The x-oss-credential or the x-oss-date field is not valid.")
	}
	k, err := s.ossKeyOf(scope[0], token)
	if err != nil {
		return nil, err
	}
	if want := s.signingRegion(x.bucket); scope[2] != want {
		return nil, refused(400, "InvalidArgument", "Invalid signing region in the x-oss-credential field. The region is %s.", want)
	}
	if signature := f.fields["x-oss-signature"]; !hmac.Equal([]byte(ossV4Signature(k.AccessKeySecret, scope[1], scope[2], policy)), []byte(signature)) {
		return nil, ossMismatch(scope[0], signature, policy)
	}
	return k, nil
}

// storeForm stores the object if its size is one that the policy allows.
func (s *Server) storeForm(x *exchange, f *postForm, o *object) error {
	switch {
	case o.size < f.policy.low:
		return refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
	case o.size > f.policy.high:
		return refused(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
	}
	x.r.Header.Set("x-oss-forbid-overwrite", f.fields["x-oss-forbid-overwrite"])
	return s.put(x, o)
}

// done is the answer to a form: nothing, a document, or a redirect.
func (f *postForm) done(x *exchange, address string, o *object) (reply, error) {
	if to, err := url.Parse(f.fields["success_action_redirect"]); err == nil && (to.Scheme == "http" || to.Scheme == "https") && to.Host != "" {
		q := to.Query()
		q.Set("bucket", x.bucket)
		q.Set("key", x.key)
		q.Set("etag", o.etag)
		to.RawQuery = q.Encode()
		x.w.Header().Set("Location", to.String())
		return reply{status: http.StatusSeeOther}, nil
	}
	location := address + "/" + escapeKey(x.bucket) + "/" + escapeKey(x.key)
	x.w.Header().Set("Location", location)
	switch f.fields["success_action_status"] {
	case "200":
		return reply{}, nil
	case "201":
		return reply{status: http.StatusCreated, xml: struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Bucket, Location, Key, ETag string
		}{Bucket: x.bucket, Location: location, Key: x.key, ETag: o.etag}}, nil
	}
	return reply{status: http.StatusNoContent}, nil
}

// postPolicy is a policy document.
type postPolicy struct {
	expiration time.Time
	conditions []postCondition
	low, high  int64 // bytes of the file
}

// postCondition is a condition on a field.
type postCondition struct {
	operator string // eq, starts-with, in or not-in
	field    string // lower-case
	values   []string
	text     string // as it stands in the document
}

func invalidPolicy(reason string) error {
	return refused(400, "InvalidPolicyDocument", "Invalid Policy: %s", reason)
}

func (p *postPolicy) parse(encoded string) error {
	var document struct {
		Expiration string            `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || json.Unmarshal(text, &document) != nil {
		return invalidPolicy("Invalid JSON.")
	}
	if p.expiration, err = time.Parse(time.RFC3339, document.Expiration); err != nil {
		return invalidPolicy("Policy missing expiration, or it is no time such as 2030-12-01T12:00:00.000Z.")
	}
	if len(document.Conditions) == 0 {
		return invalidPolicy("Policy missing conditions.")
	}
	p.high = maxPut
	for _, raw := range document.Conditions {
		if err := p.add(raw); err != nil {
			return err
		}
	}
	return nil
}

// add reads {"field": "value"}, ["eq", "$field", "value"], ["starts-with", …],
// ["in", "$field", […]], ["not-in", …] or ["content-length-range", low, high].
func (p *postPolicy) add(raw json.RawMessage) error {
	var exact map[string]string
	if json.Unmarshal(raw, &exact) == nil {
		for field, value := range exact {
			p.conditions = append(p.conditions, postCondition{"eq", strings.ToLower(field), []string{value}, string(raw)})
		}
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) != 3 {
		return invalidPolicy("Invalid condition: " + string(raw))
	}
	c := postCondition{operator: strings.ToLower(rawText(list[0])), text: string(raw)}
	if c.operator == "content-length-range" {
		low, errLow := strconv.ParseInt(rawText(list[1]), 10, 64)
		high, errHigh := strconv.ParseInt(rawText(list[2]), 10, 64)
		if errLow != nil || errHigh != nil || low < 0 || high < low {
			return invalidPolicy("Invalid content-length-range: " + string(raw))
		}
		p.low, p.high = max(p.low, low), min(p.high, high)
		return nil
	}
	field, isField := strings.CutPrefix(rawText(list[1]), "$")
	c.field = strings.ToLower(field)
	var err error
	switch c.operator {
	case "eq", "starts-with":
		c.values = []string{rawText(list[2])}
	case "in", "not-in":
		err = json.Unmarshal(list[2], &c.values)
	default:
		isField = false
	}
	if !isField || err != nil {
		return invalidPolicy("Invalid condition: " + string(raw))
	}
	p.conditions = append(p.conditions, c)
	return nil
}

// met refuses a form that the policy does not allow.
func (p *postPolicy) met(x *exchange, f *postForm, now time.Time) error {
	if !now.Before(p.expiration) {
		return refused(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
	}
	for _, c := range p.conditions {
		value := f.fields[c.field]
		switch c.field {
		case "bucket":
			value = x.bucket
		case "key":
			value = x.key
		case "content-type":
			value = f.header().Get("Content-Type")
		}
		if !c.allows(value) {
			return refused(403, "AccessDenied", "Invalid according to Policy: Policy Condition failed: %s", c.text)
		}
	}
	return nil
}

func (c postCondition) allows(value string) bool {
	found := false
	for _, v := range c.values {
		found = found || value == v || c.operator == "starts-with" && strings.HasPrefix(value, v)
	}
	return found != (c.operator == "not-in")
}
