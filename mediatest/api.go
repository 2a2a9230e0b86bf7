package mediatest

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/catalogue"
)

const maxAPIBody = 4 << 20

// Handler answers an API call that has a valid signature. What it returns is
// sent as JSON, with a RequestId when it has none. It may be a response type of
// the clients, such as vod.GetPlayInfoResponse. An error that is an
// *alimedia.Error is sent with its status, code and message; any other error
// is an InternalError.
type Handler func(params url.Values) (any, error)

// Handle answers an operation of service "ice", "vod" or "sts" by h, in place of the
// fake's own answer if it has one.
func (s *Server) Handle(service, action string, h Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if operations[service] == nil {
		s.misuse("Handle: no service %q", service)
	}
	s.custom[service+"."+action] = h
}

// call is an API call with its parameters, on the way to its operation. The
// operation runs with the server's mu held.
type call struct {
	*Server
	*Account // of the caller
	by       *key
	service  string
	action   string
	known    *catalogue.Operation // nil for sts
	params   url.Values
	now      time.Time
}

func (c *call) get(name string) string { return c.params.Get(name) }

// need asks for parameters that the catalogue does not call required.
func (c *call) need(names ...string) error {
	for _, name := range names {
		if c.get(name) == "" {
			return missing(name)
		}
	}
	return nil
}

// fields is a JSON object of an answer.
type fields map[string]any

// operation does an API operation at level behavior, when its parameters are
// checked.
type operation func(*call) (fields, error)

// operations are the API operations with code of their own, by service and
// action. The families have the others of level behavior.
var operations = map[string]map[string]operation{
	"ice": allOf(iceOperations, iceMediaOperations, byURLOperationsICE, categoryOperations, notifyOperationsICE),
	"vod": allOf(vodOperations, vodMediaOperations, vodTranscodeOperations, byURLOperationsVOD, categoryOperations, notifyOperationsVOD),
	"sts": stsOperations,
}

func allOf(tables ...map[string]operation) map[string]operation {
	all := map[string]operation{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// anonymous lists the operations that are called without a signature.
const anonymous = "AssumeRoleWithOIDC GetPublicMediaInfo ListAllPublicMediaTags ListPublicMediaBasicInfos"

// action is the API operation a request asks for; empty means OSS.
func action(r *http.Request, query url.Values) string {
	if a := r.Header.Get("x-acs-action"); a != "" || r.URL.Path != "/" {
		return a
	}
	return query.Get("Action")
}

var versions = map[string]string{"2020-11-09": "ice", "2017-03-21": "vod", "2015-04-01": "sts"}

func serviceOf(version string) string { return versions[version] }

// serveAPI answers a call of an API operation.
func (s *Server) serveAPI(x *exchange) {
	x.identify()
	body, err := io.ReadAll(io.LimitReader(x.r.Body, maxAPIBody+1))
	if err != nil {
		x.cut()
		return
	}
	if len(body) > maxAPIBody {
		x.refuse(refused(http.StatusRequestEntityTooLarge, "RequestBodyTooLarge", "The request body exceeds %d bytes.", maxAPIBody))
		return
	}
	answer, err := s.dispatch(x, body)
	if err != nil {
		x.refuse(s.asFailure(err))
		return
	}
	text, err := withRequestID(answer, x.id)
	if err != nil {
		s.misuse("answer of %s: %v", x.operation, err)
		x.refuse(s.asFailure(err))
		return
	}
	x.writeJSON(http.StatusOK, text)
}

func (s *Server) dispatch(x *exchange, body []byte) (any, error) {
	params := merged(x.query, x.r, body)
	s.mu.Lock()
	defer s.mu.Unlock()
	x.record.Params = redacted(params)
	service := serviceOf(cmp.Or(x.r.Header.Get("x-acs-version"), params.Get("Version")))
	if service == "" {
		return nil, refused(400, "InvalidVersion", "Specified parameter Version is not valid.")
	}
	if x.r.Method != http.MethodPost && x.r.Method != http.MethodGet {
		return nil, refused(405, "UnsupportedHTTPMethod", "The HTTP method is not supported.")
	}
	by := &key{owner: s.first.Load()}
	if x.r.Header.Get("Authorization") != "" || !contains(anonymous, x.operation) {
		var err error
		if x.r.Header.Get("Authorization") == "" && params.Has("Signature") {
			by, err = s.verifyRPC(x.r, params)
		} else {
			by, err = s.verifyACS3(x.r, body)
		}
		if err != nil {
			return nil, err
		}
		if err := by.allow(service + ":" + x.operation); err != nil && service != "sts" {
			return nil, err
		}
	}
	if wait, throttled := s.throttle(by.owner, x.operation); throttled {
		x.w.Header().Set("x-acs-retry-after", strconv.FormatInt(wait.Milliseconds()+1, 10))
		return nil, errAPIThrottled
	}
	if custom := s.custom[service+"."+x.operation]; custom != nil {
		s.mu.Unlock()
		defer s.mu.Lock()
		return custom(params)
	}
	product, region := s.endpoint(x.r.Host)
	if product != "" && product != service {
		return nil, refused(400, "InvalidVersion", "Specified parameter Version is not valid.")
	}
	c := &call{Server: s, Account: by.owner, by: by, service: service, action: x.operation, params: params, now: s.now()}
	if known := catalogue.Find(service, x.operation); known != nil {
		if known.Regions != "" && !contains(known.Regions, region) {
			return nil, errNoOperation
		}
		if err := c.check(known, x.query, formOf(x.r, body)); err != nil {
			return nil, err
		}
		c.known = known
	}
	s.settle()
	op := behaviorOf(service, x.operation)
	switch {
	case op != nil:
		x.w.Header().Set(levelHeader, Behavior)
		answer, err := op(c)
		s.settle() // what takes no time is done now
		if err != nil || c.known == nil {
			return answer, err
		}
		return c.known.Fit(answer, c.fills())
	case c.known == nil:
		return nil, errNoOperation
	case s.opts.strict:
		return nil, refused(501, "MediatestNoBehavior", "mediatest has no behavior for %s yet; use Server.Handle", x.operation)
	}
	x.w.Header().Set(levelHeader, Shape)
	return c.known.Answer(params), nil
}

// fills reports whether an answer has the fields that it says nothing of, empty:
// the families fill their answers themselves, and SearchMedia of VOD gives only
// the Fields that were asked for.
func (c *call) fills() bool {
	return operations[c.service][c.action] != nil && (c.service != "vod" || c.action != "SearchMedia")
}

var errNoOperation = refused(404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method.")

// endpoint reads product and region out of a host such as
// ice-vpc.cn-shanghai.aliyuncs.com. Other hosts stand for all products in the
// server's region.
func (s *Server) endpoint(host string) (product, region string) {
	name, isAliyun := strings.CutSuffix(host, ".aliyuncs.com")
	if !isAliyun {
		return "", s.opts.region
	}
	product, region, _ = strings.Cut(name, ".")
	return strings.TrimSuffix(product, "-vpc"), cmp.Or(region, s.opts.region)
}

func contains(list, word string) bool {
	for w := range strings.FieldsSeq(list) {
		if w == word {
			return true
		}
	}
	return false
}

func missing(parameter string) failure {
	return refused(400, "MissingParameter", "The input parameter %q that is mandatory for processing this request is not supplied.", parameter)
}

func invalid(parameter string) failure {
	return refused(400, "InvalidParameter", "The specified parameter %q is not valid.", parameter)
}

// merged joins the parameters of query and form body.
func merged(query url.Values, r *http.Request, body []byte) url.Values {
	all := url.Values{}
	for name, values := range query {
		all[name] = append(all[name], values...)
	}
	for name, values := range formOf(r, body) {
		all[name] = append(all[name], values...)
	}
	return all
}

func formOf(r *http.Request, body []byte) url.Values {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return nil
	}
	form, _ := url.ParseQuery(string(body)) // what cannot be read is not there
	return form
}

func redacted(params url.Values) url.Values {
	clean := url.Values{}
	for name, values := range params {
		if !isSecretParam(name) {
			clean[name] = append([]string(nil), values...)
		}
	}
	return clean
}

// asFailure finds the refusal in an error of an operation or of a Handler.
func (s *Server) asFailure(err error) failure {
	var f failure
	if errors.As(err, &f) {
		return f
	}
	f = refused(500, "InternalError", "The request processing has failed due to some unknown error.")
	var e *alimedia.Error
	if errors.As(err, &e) {
		f.status = cmp.Or(e.StatusCode, f.status)
		f.code = cmp.Or(e.Code, f.code)
		f.message = cmp.Or(e.Message, f.message)
	}
	return f
}

// withRequestID encodes v and makes sure that an object has a RequestId, also
// where that of a struct is empty.
func withRequestID(v any, id string) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(text, &object) != nil || object == nil {
		return text, nil
	}
	if given := string(object["RequestId"]); given == "" || given == "null" || given == `""` {
		object["RequestId"] = json.RawMessage(strconv.Quote(id))
	}
	return json.Marshal(object)
}

func (x *exchange) writeJSON(status int, text []byte) {
	x.w.Header().Set("Content-Type", "application/json;charset=utf-8")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(text)
}

func writeAPIError(x *exchange, f failure) {
	document := fields{
		"RequestId": x.id,
		"HostId":    x.r.Host,
		"Code":      f.code,
		"Message":   f.message,
		"Recommend": "https://api.aliyun.com/troubleshoot?q=" + url.QueryEscape(f.code) + "&requestId=" + x.id,
	}
	if f.detail != nil {
		document["AccessDeniedDetail"] = f.detail
	}
	text, _ := json.Marshal(document) // strings only
	x.writeJSON(f.status, text)
}
