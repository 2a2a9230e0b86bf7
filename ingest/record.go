package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// State is the state of a job.
type State string

// States of a job. A job that nobody has taken yet has no record.
const (
	StateWaiting State = "waiting" // given back or failed, to be delivered again
	StateWorking State = "working" // a worker has it
	StateDone    State = "done"
	StateDead    State = "dead" // in the dead-letter stream
)

// Record is what the fleet knows of a job. It is the value of the results
// bucket, under the SHA-256 of the key of the job.
type Record struct {
	Version int    `json:"version"`
	Key     string `json:"key"`
	State   State  `json:"state"`
	Target  string `json:"target"` // kind
	Input   string `json:"input"`

	Worker   string    `json:"worker,omitempty"` // the last one
	Time     time.Time `json:"time"`             // of the last change, by the clock of the worker
	Failures int       `json:"failures,omitempty"`
	Deaths   int       `json:"deaths,omitempty"` // workers that ended with the job in their hands

	MediaId           string  `json:"mediaId,omitempty"` // as soon as it is known
	FileURL           string  `json:"fileURL,omitempty"`
	RequestId         string  `json:"requestId,omitempty"`
	Size              int64   `json:"size,omitempty"`
	CRC64             uint64  `json:"crc64,omitempty,string"`
	AlreadyRegistered bool    `json:"alreadyRegistered,omitempty"` // before this job
	Seconds           float64 `json:"seconds,omitempty"`           // the last delivery took
	Error             *Cause  `json:"error,omitempty"`             // of the last failure

	// Asked is when a request was sent that must not take effect twice and whose
	// response is not known.
	Asked time.Time `json:"asked,omitzero"`
}

// held is a record with its revision, by which only one worker changes it.
type held struct {
	Record
	hash     string
	revision uint64
}

// load returns the record of a job, an empty one if there is none.
func (f *Fleet) load(ctx context.Context, hash string) (*held, error) {
	h := &held{hash: hash}
	entry, err := f.results.Get(ctx, hash)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return h, nil
	}
	if err != nil {
		return nil, err
	}
	h.revision = entry.Revision()
	if json.Unmarshal(entry.Value(), &h.Record) != nil || h.Version != Version {
		h.Record = Record{} // of nobody we know
	}
	return h, nil
}

// errTaken means that another worker has changed the record.
var errTaken = errors.New("another worker has taken the job")

// save writes the record if nobody else has.
func (f *Fleet) save(ctx context.Context, h *held) error {
	h.Version, h.Time = Version, time.Now().UTC()
	text, err := json.Marshal(h.Record)
	if err != nil {
		return err
	}
	revision, err := f.results.Update(ctx, h.hash, text, h.revision)
	if err == nil {
		h.revision = revision
		return nil
	}
	if !isMismatch(err) {
		return err
	}
	// The response of an earlier attempt may be lost: then it is our own record.
	entry, unknown := f.results.Get(ctx, h.hash)
	if unknown == nil && string(entry.Value()) == string(text) {
		h.revision = entry.Revision()
		return nil
	}
	return errTaken
}

func isMismatch(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) ||
		errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}
