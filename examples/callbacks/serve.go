package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/events"
	"github.com/alimedia/alimedia-go/events/mns"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/vod"
)

// serve receives callbacks and the messages of a queue until ctx ends.
func serve(ctx context.Context, s settings) error {
	db, err := openDatabase(ctx, s.postgres, s.db)
	if err != nil {
		return err
	}
	defer db.Close()
	keep := &store{db}
	group, ctx := errgroup.WithContext(ctx)
	if s.listen != "" {
		receiver, err := newReceiver(keep, strings.Split(s.keys, ","), []string{s.url})
		if err != nil {
			return err
		}
		listener, err := net.Listen("tcp", s.listen)
		if err != nil {
			return err
		}
		fmt.Println("receiving callbacks at", listener.Addr(), "into", db)
		group.Go(func() error { return listen(ctx, listener, receiver) })
	}
	if s.queue != "" {
		queue, err := mns.New(mns.Config{Endpoint: s.queueEndpoint, QueueName: s.queue})
		if err != nil {
			return err
		}
		fmt.Println("receiving messages of", s.queue, "into", db)
		group.Go(func() error { return consume(ctx, queue, keep) })
	}
	if s.reconcile > 0 {
		asker, err := newAsker(alimedia.Config{})
		if err != nil {
			return err
		}
		group.Go(func() error {
			keep.reconcileUntil(ctx, asker, s.reconcile)
			return nil
		})
	}
	err = group.Wait()
	fmt.Println("stopped")
	return err
}

// newReceiver answers a callback after its event is in the database. If that fails,
// the service repeats the callback.
func newReceiver(keep *store, keys, urls []string) (*events.Receiver, error) {
	cfg := events.Config{URLs: urls, Logger: slog.Default()}
	for _, key := range keys {
		if key = strings.TrimSpace(key); key != "" {
			cfg.Keys = append(cfg.Keys, alimedia.Secret(key))
		}
	}
	if len(cfg.Keys) == 0 || slices.Contains(urls, "") {
		return nil, errors.New("callbacks are verified: set CALLBACK_KEYS to the AuthKey, and -url to the CallbackURL")
	}
	return events.New(cfg, func(ctx context.Context, e events.Event) error {
		_, err := keep.handle(ctx, e, "http")
		return err
	})
}

// consume deletes a message after its event is in the database.
func consume(ctx context.Context, queue events.Queue, keep *store) error {
	return events.Consume(ctx, queue, func(ctx context.Context, e events.Event) error {
		_, err := keep.handle(ctx, e, "queue")
		return err
	}, events.ConsumeConfig{Reject: keep.reject})
}

// listen serves h at /callbacks until ctx ends, and answers what it has begun.
func listen(ctx context.Context, l net.Listener, h http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/callbacks", h)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		stopped <- server.Shutdown(late)
	})
	err := server.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func newAsker(cfg alimedia.Config) (asker, error) {
	v, err := vod.New(cfg)
	if err != nil {
		return asker{}, err
	}
	i, err := ice.New(cfg)
	if err != nil {
		return asker{}, err
	}
	return asker{v, i}, nil
}
