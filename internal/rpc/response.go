package rpc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/alimedia/alimedia-go"
)

// acknowledgement is the response of an operation that tells nothing.
type acknowledgement struct{ RequestId string }

// read reads the body of a response into out, or returns what is wrong with
// it. cut says that the body goes on beyond the limit.
func (a *attempt) read(ctx context.Context, body []byte, cut bool, out any) error {
	if a.status < 200 || a.status > 299 {
		return a.apiError(body, cut)
	}
	if cut {
		return a.tooLarge(body, fmt.Sprintf("the response is larger than Config.MaxResponseBytes (%d bytes)", a.cfg.MaxResponseBytes))
	}
	if out == nil {
		out = new(acknowledgement)
	}
	result := resultOf(out)
	s := shapeOf(result.Type())
	if text := withoutBOM(body); len(text) == 0 || string(text) == "null" {
		if result.SetZero(); a.op.Proof != "" || !s.tellsNothing() {
			return a.unproven(nil, a.describeBody(body, false))
		}
		a.fillRequestID(result, s)
		return nil
	}
	d := decoder{body: body}
	switch err := d.decode(out); {
	case errors.Is(err, errTooLarge):
		result.SetZero()
		return a.tooLarge(body, err.Error())
	case errors.Is(err, errNotJSON):
		if e, known := readEnvelope(body); known && e.failed() {
			return a.serviceError(e)
		}
		if looksLikeJSON(body) {
			return a.unproven(body, err.Error())
		}
		return a.unproven(body, a.describeBody(body, false))
	case err != nil:
		return &localError{err}
	}
	if s.kind == structShape && d.src[0] != '{' {
		result.SetZero()
		return a.unproven(body, fmt.Sprintf("the response is a JSON %s and not an object", kindName(d.src)))
	}
	if s.kind == structShape {
		if e, failed := a.refusal(&d); failed {
			result.SetZero()
			return a.serviceError(e)
		}
	}
	if s.kind == structShape && d.known == 0 && a.header.Get("x-acs-request-id") == "" && !(s.tellsNothing() && d.empty()) {
		return a.unproven(body, "the response has no field of the operation")
	}
	a.logLost(ctx, &d)
	if missing := missingProof(result, a.op.Proof); missing != "" {
		message := "the response has no " + missing
		if len(d.lost) > 0 {
			message += "; of another form than documented: " + strings.Join(d.lost, ", ")
		}
		result.SetZero()
		return a.unproven(body, message)
	}
	a.fillRequestID(result, s)
	return nil
}

// refusal reports whether the document of a status 2xx says that the operation
// failed: by the member that has this meaning in responses of the operation, else
// by an error document in place of the response.
func (a *attempt) refusal(d *decoder) (e envelope, failed bool) {
	said, code := unsaid, ""
	if a.op.Verdict != "" {
		code, said = verdictOf(d.src, a.op.Verdict)
	}
	switch {
	case said == saysSuccess:
		return e, false
	case said == saysFailure:
		if e, _ = readEnvelope(d.src); e.codeIsFine() {
			e.Code = code
		}
		e.Message = cmp.Or(e.Message, e.Description)
		return e, true
	case a.op.Verdict != "": // its responses have a Code beside
		e = outerEnvelope(d.src)
		return e, !e.codeIsFine()
	case d.foreign:
		e = outerEnvelope(d.src)
		return e, e.failed()
	}
	return e, false
}

// resultOf is what out, a pointer, points to in the end.
func resultOf(out any) reflect.Value {
	v := reflect.ValueOf(out)
	for v.Elem().Kind() == reflect.Interface && v.Elem().Elem().Kind() == reflect.Pointer && !v.Elem().Elem().IsNil() {
		v = v.Elem().Elem() // a result that hides in an interface
	}
	return v.Elem()
}

// checkResult reports an error for a result that nothing can be read into.
func checkResult(out any) error {
	if out == nil {
		return nil
	}
	if v := reflect.ValueOf(out); v.Kind() != reflect.Pointer || v.IsNil() {
		return errors.New("the result must be nil or a pointer that is not nil")
	}
	return nil
}

// tellsNothing reports whether a response without a body can be the whole
// response: the result has at most a RequestId, or its form is not known.
func (s *shape) tellsNothing() bool {
	return s.kind != structShape || len(s.fields) == 0 || len(s.fields) == 1 && s.fields[0].name == "RequestId"
}

// fillRequestID takes the request id from the header where the body has none.
func (a *attempt) fillRequestID(v reflect.Value, s *shape) {
	f := s.exact["RequestId"]
	if f == nil || f.shape.kind != stringShape {
		return
	}
	if field := f.of(v); strings.TrimSpace(field.String()) == "" {
		field.SetString(strings.TrimSpace(a.header.Get("x-acs-request-id")))
	}
}

// unproven is the error for a response of status 2xx that does not prove that
// the operation was carried out. It has no code; the call may go again where
// that does no harm.
func (a *attempt) unproven(body []byte, message string) error {
	e, _ := readEnvelope(body)
	return a.complete(&alimedia.Error{Message: message}, envelope{RequestID: e.RequestID})
}

// tooLarge is the error for a response that is not read. Another one would be
// as large.
func (a *attempt) tooLarge(body []byte, message string) error {
	e, _ := readEnvelope(body)
	return a.complete(&alimedia.Error{Code: codeTooLarge, Message: message}, envelope{RequestID: e.RequestID})
}

// missingProof returns which part of the proof v, a struct, does not have.
func missingProof(v reflect.Value, proof string) string {
	if proof == "" || v.Kind() != reflect.Struct {
		return ""
	}
	for group := range strings.FieldsSeq(proof) {
		proven := false
		for path := range strings.SplitSeq(group, "|") {
			proven = proven || hasField(v, path)
		}
		if !proven {
			return strings.ReplaceAll(group, "|", " or ")
		}
	}
	return ""
}

// hasField reports whether the field at path is filled.
func hasField(v reflect.Value, path string) bool {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return false
		}
		v = v.Elem()
	}
	if path == "" {
		return filled(v)
	}
	switch v.Kind() {
	case reflect.Struct:
		name, rest, _ := strings.Cut(path, ".")
		f := v.FieldByName(name)
		return f.IsValid() && hasField(f, rest)
	case reflect.Slice:
		for i := range v.Len() {
			if hasField(v.Index(i), path) {
				return true
			}
		}
	}
	return false
}

// filled reports whether v says something: neither zero nor blank nor made of
// such, nor the text of one.
func filled(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		text := strings.TrimSpace(v.String())
		if v.Type() == jsonType {
			switch text {
			case "null", "{}", "[]", `""`:
				return false
			}
		}
		switch strings.ToLower(text) {
		case "", "0", "false", "null", "nil", "none", "undefined":
			return false
		}
		return true
	case reflect.Slice:
		for i := range v.Len() {
			if filled(v.Index(i)) {
				return true
			}
		}
		return false
	case reflect.Map:
		return v.Len() > 0
	case reflect.Struct:
		for i := range v.NumField() {
			if filled(v.Field(i)) {
				return true
			}
		}
		return false
	case reflect.Pointer, reflect.Interface:
		return !v.IsNil() && filled(v.Elem())
	}
	return !v.IsZero()
}

// logLost names the fields of a response that had another form than documented
// and stayed zero. Their values are not logged.
func (a *attempt) logLost(ctx context.Context, d *decoder) {
	if d.losses == 0 && !d.trailing || !a.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("action", a.op.Action),
		slog.String("region", a.cfg.Region),
		slog.Int("attempt", a.number),
		slog.String("request_id", a.requestID(d.src)),
		slog.Int("count", d.losses),
		slog.String("fields", a.redact(strings.Join(d.lost, ", "))),
	}
	if d.trailing {
		attrs = append(attrs, slog.Bool("text_after", true))
	}
	a.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "alimedia: fields of another form than documented were left out", attrs...)
}

func (a *attempt) requestID(body []byte) string {
	e, _ := readEnvelope(body)
	return a.complete(new(alimedia.Error), envelope{RequestID: e.RequestID}).RequestId
}

func looksLikeJSON(body []byte) bool {
	body = withoutBOM(body)
	return len(body) > 0 && (body[0] == '{' || body[0] == '[' || json.Valid(body))
}
