package webupload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/alimedia/alimedia-go/internal/redact"
)

// Handler has the handlers of Config as methods. Mount the ones you need:
//
//	mux.HandleFunc("/uploads", h.Create)
//	mux.HandleFunc("/uploads/refresh", h.Refresh)
//	mux.HandleFunc("/uploads/complete", h.Complete)
//	mux.HandleFunc("/uploads/cancel", h.Cancel)
//
// It is safe for concurrent use. Besides 200, the handlers respond with
//
//   - 202: the service does not know of the file yet (Complete)
//   - 204: a page of an allowed origin may send the request (OPTIONS)
//   - 400: the body, or what the policy made of it, violates a rule
//   - 401: Config.Owner does not know who sends the request
//   - 403: the origin is not allowed, the Upload-Token is not valid for the owner and
//     the asset, or the policy refused
//   - 404: the asset does not exist any more, or STS is not configured
//   - 405: the method is not POST
//   - 408: the body did not arrive within 10 seconds
//   - 409: the file has arrived already (Refresh, Cancel), another request completes
//     the same upload, or the upload failed (Complete)
//   - 413: the body is larger than [MaxBytes], or the file is larger than declared
//   - 415: the Content-Type is not application/json
//   - 422: the target cannot be refreshed
//   - 429: Config.ClientRate or Config.TotalRate is exceeded, with Retry-After
//   - 500: a hook returned an error or panicked
//   - 502: the service refused the request
//   - 503: the service is busy, with Retry-After
//
// and with what a [Refusal] of a hook says.
type Handler struct {
	cfg     Config // without its Keys
	origins origins
	tokens  tokens
	rates   *rates
	log     *slog.Logger
	panics  *slog.Logger

	mu        sync.Mutex
	completed recent[*completion]
}

// bodyTime is how long the body of a request may take to arrive.
const bodyTime = 10 * time.Second

// call is an accepted request.
type call struct {
	*http.Request
	owner string
	body  []byte
}

// reply is what the browser gets.
type reply struct {
	status int
	body   any
	token  string
	retry  int // seconds
}

// Create asks the policy and creates an asset (CreateUploadVideo and the like). The
// response has its upload address and credential.
func (h *Handler) Create(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.create) }

// Refresh returns a new credential for an upload of the owner (RefreshUploadVideo,
// RefreshUploadMedia), as long as the service does not have the file.
func (h *Handler) Refresh(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.refresh) }

// Complete asks the service for the state and the size of an upload of the owner
// (GetVideoInfo and the like) and calls Config.Completed when the file has arrived.
func (h *Handler) Complete(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.complete) }

// Cancel deletes an upload of the owner, with the parts that were sent, as long as the
// service does not have the file. The page stops its uploader first.
func (h *Handler) Cancel(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.cancel) }

// Credentials returns credentials of a role (AssumeRole) for the STS mode of the
// uploader. Read the package comment about what they permit. Its body is {}.
func (h *Handler) Credentials(w http.ResponseWriter, r *http.Request) { h.serve(w, r, h.assume) }

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, do func(context.Context, call) (reply, error)) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		if refusal := h.origins.preflight(w, r); refusal != nil {
			h.refuse(w, r, refusal)
			return
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.origins.share(w, r)
	answer, err := h.handle(w, r, do)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if answer.token != "" {
		header.Set(tokenHeader, answer.token)
	}
	write(w, answer.status, answer.retry, answer.body)
}

// handle returns a panic of a hook as an error.
func (h *Handler) handle(w http.ResponseWriter, r *http.Request, do func(context.Context, call) (reply, error)) (answer reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			h.panics.ErrorContext(r.Context(), "webupload: panic", "panic", redact.Text(fmt.Sprint(p)), "stack", string(debug.Stack()))
			answer, err = reply{}, errors.New("webupload: a hook panicked")
		}
	}()
	c, err := h.accept(w, r)
	if err != nil {
		return reply{}, err
	}
	return do(r.Context(), c)
}

// accept checks who sends the request, and how, before it reads the body.
func (h *Handler) accept(w http.ResponseWriter, r *http.Request) (call, error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "OPTIONS, POST")
		return call{}, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The method must be POST.")
	}
	if err := h.origins.check.Check(r); err != nil {
		return call{}, refuse(http.StatusForbidden, "OriginNotAllowed", "Pages of this origin are not allowed to upload here.")
	}
	// Forms of other sites have no such type, and a script needs the preflight.
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return call{}, refuse(http.StatusUnsupportedMediaType, "UnsupportedMediaType", "The Content-Type must be application/json.")
	}
	owner, err := h.owner(r)
	if err != nil {
		return call{}, err
	}
	client := owner
	if h.cfg.ClientKey != nil {
		client = h.cfg.ClientKey(r, owner)
	}
	if err := h.rates.take(client); err != nil {
		return call{}, err
	}
	body, err := read(w, r)
	return call{Request: r, owner: owner, body: body}, err
}

func (h *Handler) owner(r *http.Request) (string, error) {
	owner, err := h.cfg.Owner(r)
	if err == nil && owner != "" {
		return owner, nil
	}
	refusal := refused(err)
	if refusal == nil {
		refusal = refuse(http.StatusUnauthorized, "Unauthorized", "Sign in to upload.")
		refusal.cause = err
	}
	shown := *refusal
	shown.close = true
	return "", &shown
}

// read reads the body. A Read that does not return in time ends with the
// connection, which is closed.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	tooLarge := refuse(http.StatusRequestEntityTooLarge, "RequestTooLarge", "The request is too large.")
	if r.ContentLength > MaxBytes {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime)) // not all writers can
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(r.Body, MaxBytes+1))
		done <- result{text, err}
	}()
	slow := time.NewTimer(bodyTime)
	defer slow.Stop()
	tooSlow := refuse(http.StatusRequestTimeout, "RequestTimeout", "The request did not arrive in time.")
	select {
	case got := <-done:
		switch {
		case errors.Is(got.err, os.ErrDeadlineExceeded):
			return nil, tooSlow
		case got.err != nil:
			return nil, refuse(http.StatusBadRequest, "InvalidRequest", "The request did not arrive.")
		case len(got.text) > MaxBytes:
			return nil, tooLarge
		}
		_ = control.SetReadDeadline(time.Time{})
		return got.text, nil
	case <-slow.C:
		return nil, tooSlow
	}
}

// refuse writes an error. The log has the reason, which the browser is not told.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	refusal := refusalOf(err)
	h.log.WarnContext(r.Context(), "webupload: request refused", "status", refusal.Status, "code", redact.Bounded(refusal.Code, 128),
		"remote", r.RemoteAddr, "error", redact.Text(err.Error()))
	if refusal.close {
		w.Header().Set("Connection", "close")
		// The rest of the body is not read.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now())
	}
	write(w, refusal.Status, refusal.retry, struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestId string `json:"requestId,omitempty"`
	}{refusal.Code, refusal.Message, refusal.requestId})
}

func write(w http.ResponseWriter, status, retry int, body any) {
	if retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retry))
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the browser may have gone
}
