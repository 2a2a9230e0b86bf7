// Callbacks stores the events of ApsaraVideo VOD and IMS in a database, each once,
// and keeps a table of assets up to date by them.
//
//	go run ./examples/callbacks
//
// shows it without an account: the services, their callbacks and a queue are
// simulated in this process.
//
//	go run ./examples/callbacks -listen :8080 -url https://media.example.com/callbacks
//	go run ./examples/callbacks -queue-endpoint https://1234.mns.cn-shanghai.aliyuncs.com -queue ice-callback-media
//
// receives the callbacks of a real account, or the messages of its queue, or both.
// The AuthKeys of the callbacks are in CALLBACK_KEYS, separated by commas; the
// credentials come from the default chain. With -reconcile the services are asked
// about assets whose events did not come; that needs ALIBABA_CLOUD_REGION_ID.
//
// Events are stored in the file of -db (SQLite), or in Postgres if DATABASE_URL is
// set.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	db            string
	postgres      string // DATABASE_URL
	listen        string
	url           string
	keys          string // CALLBACK_KEYS
	queueEndpoint string
	queue         string
	reconcile     time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.db, "db", "callbacks.db", "`file` of SQLite; DATABASE_URL takes precedence")
	flag.StringVar(&s.listen, "listen", "", "`address` to receive callbacks at, such as :8080")
	flag.StringVar(&s.url, "url", "", "callback `URL` as configured at the service, byte for byte")
	flag.StringVar(&s.queueEndpoint, "queue-endpoint", os.Getenv("MNS_ENDPOINT"), "`endpoint` of Simple Message Queue (MNS_ENDPOINT)")
	flag.StringVar(&s.queue, "queue", os.Getenv("MNS_QUEUE"), "`name` of the queue (MNS_QUEUE)")
	flag.DurationVar(&s.reconcile, "reconcile", 0, "ask the service about assets without an event for this `time`; 0: never")
	flag.Parse()
	s.postgres, s.keys = os.Getenv("DATABASE_URL"), os.Getenv("CALLBACK_KEYS")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := serve
	if s.listen == "" && s.queue == "" {
		run = demo
	}
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "callbacks:", err)
		stop()
		os.Exit(1)
	}
}
