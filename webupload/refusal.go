package webupload

import (
	"errors"
	"net/http"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/internal/redact"
)

// Refusal is an error that is sent to the browser. Hooks return it to say why a
// request is refused.
type Refusal struct {
	Status  int    // HTTP status, 400 to 599; 403 if it is none of these
	Code    string // for the page, such as "FileTooLarge"; "Refused" if empty
	Message string // for the user

	requestId string // of the call that the service refused
	cause     error  // for the log
	retry     int    // seconds after which a repetition makes sense
	close     bool   // the rest of the body is not read
}

// Refuse returns a Refusal.
func Refuse(status int, code, message string) *Refusal {
	return &Refusal{Status: status, Code: code, Message: message}
}

// Error returns the code and the message on one line.
func (r *Refusal) Error() string {
	text := "webupload: " + r.Code + ": " + r.Message
	if r.cause != nil {
		text += ": " + r.cause.Error()
	}
	return redact.Line(text)
}

// Unwrap returns the error of the service, if there is one.
func (r *Refusal) Unwrap() error { return r.cause }

// refuse is Refuse for what the body has no part in: the connection is closed, so
// that it need not be read.
func refuse(status int, code, message string) *Refusal {
	return &Refusal{Status: status, Code: code, Message: message, close: true}
}

// refused is the Refusal in err, nil if there is none.
func refused(err error) *Refusal {
	var r *Refusal
	errors.As(err, &r)
	return r
}

// refusalOf decides what the browser is told of an error. What the service said is
// for the log only, except for the request ID.
func refusalOf(err error) *Refusal {
	if r := refused(err); r != nil {
		shown := *r
		if shown.Status < 400 || shown.Status > 599 {
			shown.Status = http.StatusForbidden
		}
		if shown.Code == "" {
			shown.Code = "Refused"
		}
		return &shown
	}
	shown := Refusal{Status: http.StatusInternalServerError, Code: "InternalError", Message: "The request could not be handled.", cause: err}
	var invalid *alimedia.ValidationError
	if errors.As(err, &invalid) {
		shown.Status, shown.Code, shown.Message = http.StatusBadRequest, "InvalidUpload", "The upload does not conform to the rules of the service: "+rules(invalid)+"."
		return &shown
	}
	var e *alimedia.Error
	if !errors.As(err, &e) {
		return &shown
	}
	shown.requestId = redact.Bounded(e.RequestId, 128)
	switch {
	case alimedia.IsThrottled(err):
		shown.Status, shown.Code, shown.Message, shown.retry = http.StatusServiceUnavailable, "ServiceBusy", "The media service is busy. Try again later.", 5
	case alimedia.IsNotFound(err):
		shown.Status, shown.Code, shown.Message = http.StatusNotFound, "UploadNotFound", "The upload does not exist any more."
	default:
		shown.Status, shown.Code, shown.Message = http.StatusBadGateway, "ServiceError", "The media service did not carry out the request."
	}
	return &shown
}

// rules has the names of fields and the rules of the reference, and no value.
func rules(e *alimedia.ValidationError) string {
	text := ""
	for i, v := range e.Violations {
		if i > 0 {
			text += "; "
		}
		text += v.Field + ": " + v.Rule
	}
	return redact.Bounded(text, 512)
}
