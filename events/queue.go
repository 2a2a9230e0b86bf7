package events

import (
	"context"
	"errors"
	"time"
)

// Queue is a queue that hides a message from other consumers while one of them
// handles it, such as Simple Message Queue (package mns) or Amazon SQS. It must be
// safe for concurrent use. Its methods must return when ctx ends.
type Queue interface {
	// Receive waits for messages and returns at most max of them. If there are none
	// after some seconds, it returns neither messages nor an error.
	Receive(ctx context.Context, max int) ([]Message, error)

	// Delete removes a message that was handled. The error is [ErrLost] if the
	// receipt is no longer valid.
	Delete(ctx context.Context, receipt string) error

	// Hide hides a message from all consumers for d from now. It returns the
	// receipt that is valid from then on, which may be another one. The error is
	// [ErrLost] if the receipt is no longer valid.
	Hide(ctx context.Context, receipt string, d time.Duration) (string, error)
}

// Message is a message that a [Queue] delivered.
type Message struct {
	Id      string // of the message in its queue
	Receipt string // of this delivery
	Body    []byte // what [Parse] accepts

	// Attempts is the number of deliveries of the message, including this one.
	// Zero means that the queue does not count them.
	Attempts int

	// Enqueued is when the message was sent; zero if the queue does not say.
	Enqueued time.Time

	// Visibility is how long the message is hidden from other consumers after
	// Receive returned it. Zero means unknown.
	Visibility time.Duration

	// Err is not nil if the Body is not what was sent. The message is not handled
	// and is delivered again.
	Err error
}

var (
	// ErrLost means that a delivery is over: the message was deleted, or it became
	// visible again and may be with another consumer.
	ErrLost = errors.New("events: the receipt of the message is no longer valid")

	// ErrAttempts means that a message was delivered more often than
	// [ConsumeConfig].MaxAttempts, for example because each handler of it crashed.
	ErrAttempts = errors.New("events: the message was delivered too often")

	// ErrNotDrained means that handlers did not return after their context ended.
	ErrNotDrained = errors.New("events: handlers are still running")
)
