package transfer

import (
	"context"
	"io"
	"time"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/credentials"
)

// Object is one object of an object storage service, as one credential reaches
// it. Each method makes a single request and does not repeat it. An error that
// is a response of the service is a [ServiceError].
//
// A request body may be read after the method has returned; the engine guards
// its memory. Methods are called concurrently.
type Object interface {
	// Put stores the whole object.
	Put(ctx context.Context, body io.Reader, size int64) (Info, error)
	// CreateMultipart begins a multipart upload.
	CreateMultipart(ctx context.Context) (uploadID string, err error)
	// UploadPart stores one part. The first number is 1.
	UploadPart(ctx context.Context, uploadID string, number int, body io.Reader, size int64) (Info, error)
	// CompleteMultipart makes the object of parts, which are sorted by number.
	CompleteMultipart(ctx context.Context, uploadID string, parts []Part) (Info, error)
	// AbortMultipart removes a multipart upload and its parts.
	AbortMultipart(ctx context.Context, uploadID string) error
	// ListParts returns a page of the parts after the number given. next is
	// the number to continue with, 0 after the last page.
	ListParts(ctx context.Context, uploadID string, after int) (page []Part, next int, err error)
	// ListUploads returns the multipart uploads of this object that are neither
	// completed nor aborted.
	ListUploads(ctx context.Context) ([]OpenUpload, error)
	// Head returns what the service has stored.
	Head(ctx context.Context) (Info, error)
}

// Info is what the service says about an object or a part.
type Info struct {
	ETag     string
	Size     int64         // bytes; of Head only
	Age      time.Duration // since the object was stored, by the clock of the service; of Head only, 0 if unknown
	CRC64    uint64
	HasCRC64 bool
	// CallbackErr is set when the object is stored and the callback that the
	// service makes afterwards failed.
	CallbackErr error
}

// matches reports whether the service has said that the object has these bytes.
func (i Info) matches(size int64, crc uint64) bool {
	return i.Size == size && i.HasCRC64 && i.CRC64 == crc
}

// Part is a part that the service has stored.
type Part struct {
	Number int
	ETag   string
	Size   int64 // bytes
	CRC64  uint64
}

// OpenUpload is a multipart upload that the service lists.
type OpenUpload struct {
	UploadID string
	Age      time.Duration // by the clock of the service
}

// ServiceError is a response of the service that is an error.
type ServiceError struct {
	API        *alimedia.Error
	ServerTime time.Time // zero if the response does not tell it
}

// Error returns the text of the *alimedia.Error.
func (e *ServiceError) Error() string { return e.API.Error() }

// Unwrap makes errors.As find the *alimedia.Error.
func (e *ServiceError) Unwrap() error { return e.API }

// Destination is where the bytes go.
type Destination struct {
	// Credentials sign the requests. They are asked for before every attempt.
	// One that implements credentials.Invalidator is told which credentials
	// were refused.
	Credentials credentials.Provider
	// Open returns the object as credentials reach it. It is called when the
	// credentials have changed. An error of it is not repeated.
	Open func(credentials.Credentials) (Object, error)
	// Clock is that of the host that stores the object.
	Clock *Clock
	// Exists asks another service whether the object is stored. It is called
	// where the credentials may not call Head. Nil means that nobody knows.
	Exists func(context.Context) (bool, error)
	// RemoveUploads asks another service to remove all multipart uploads of the
	// object. Nil means that there is no such operation.
	RemoveUploads func(context.Context) error
}

// Checkpoint remembers how far a transfer is. PartStored is called
// concurrently. [NoCheckpoint] remembers nothing.
type Checkpoint interface {
	// Load returns the state of an earlier run. ok is false if there is none.
	Load() (s State, ok bool)
	// Started records a new multipart upload.
	Started(uploadID string, partSize int64, lostIDs bool) error
	// PartStored records a part that the service has confirmed.
	PartStored(Part) error
	// Replace sets the parts that are still valid.
	Replace([]Part) error
	// Restart forgets the multipart upload and its parts.
	Restart() error
	// Completing records that all parts are stored.
	Completing() error
	// Durable reports whether a later run will find what was recorded. Parts of
	// a failed transfer are kept only then.
	Durable() bool
}

// State is what a checkpoint remembers of an earlier run.
type State struct {
	UploadID   string // empty if no multipart upload is known
	PartSize   int64  // bytes
	Created    time.Time
	Initiated  time.Time // when the multipart upload began
	Sending    bool      // the destination was known, and not all parts were stored
	Completing bool      // all parts were stored
	LostIDs    bool      // there may be multipart uploads whose IDs never arrived
	Parts      []Part    // sorted by number
}

// NoCheckpoint is a [Checkpoint] that remembers nothing.
type NoCheckpoint struct{}

// Load implements [Checkpoint].
func (NoCheckpoint) Load() (State, bool) { return State{}, false }

// Started implements [Checkpoint].
func (NoCheckpoint) Started(string, int64, bool) error { return nil }

// PartStored implements [Checkpoint].
func (NoCheckpoint) PartStored(Part) error { return nil }

// Replace implements [Checkpoint].
func (NoCheckpoint) Replace([]Part) error { return nil }

// Restart implements [Checkpoint].
func (NoCheckpoint) Restart() error { return nil }

// Completing implements [Checkpoint].
func (NoCheckpoint) Completing() error { return nil }

// Durable implements [Checkpoint].
func (NoCheckpoint) Durable() bool { return false }
