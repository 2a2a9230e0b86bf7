// Package events receives the event callbacks of ApsaraVideo VOD and Intelligent
// Media Services (IMS, product code ICE). It has an [http.Handler] that verifies
// HTTP callbacks, and one [Event] type for the messages of both services.
//
//	news := new(events.News)
//	receiver, err := events.New(events.Config{
//		Keys: []alimedia.Secret{alimedia.Secret(os.Getenv("CALLBACK_KEY"))},
//		URLs: []string{"https://media.example.com/callbacks"},
//	}, news.Handle)
//	...
//	http.Handle("POST /callbacks", receiver)
//	res, err := up.Upload(ctx, source, target, upload.WithWait(news))
//
// # Setup
//
// Callbacks are configured once for each region, with SetMessageCallback of
// package vod or SetEventCallback of package ice. Set CallbackType to HTTP,
// AuthSwitch to on, an AuthKey (at most 32 characters, with upper-case letters,
// lower-case letters and digits), and the EventTypeList. Add the CallbackURL to
// [Config].URLs, byte for byte. Also add every URL that a UserData sets as
// MessageCallback.
//
// To rotate the AuthKey, give the receiver the old and the new key, change the
// key at the service, and remove the old one some minutes later.
//
// # Queues
//
// With the CallbackType MNS the services send the same messages to a queue of
// Simple Message Queue. [Consume] handles the events of a queue: it deletes a
// message after it was handled, hides it from other consumers until then, and lets
// it come again later after a failure. Package mns has the queue, and [Queue] is
// what Consume needs of any other.
//
//	queue, err := mns.New(mns.Config{Endpoint: endpoint, QueueName: "ice-callback-media"})
//	...
//	err = events.Consume(ctx, queue, handle, events.ConsumeConfig{Reject: store})
//
// # Handling each event once
//
// Callbacks and queues deliver an event at least once, and not always in order.
// Store [Event.Id] in the transaction that handles the event, in a column with a
// unique constraint: an event whose Id is there has been handled.
// examples/callbacks does so with SQLite and Postgres.
//
// # What the signature proves
//
// The signature is an MD5 hash of the callback URL, the time and the AuthKey. It
// does NOT cover the body. Whoever intercepts a callback can send another body
// with its headers until the window ends. Therefore:
//
//   - use an https CallbackURL
//   - keep [Config].Window small and do not disable the replay protection
//   - treat an event as a hint: read the asset (GetVideoInfo, GetMediaInfo)
//     before you act on it. An upload that waits for [News] does so.
//
// # Untrusted senders
//
// A [Receiver] does not read a body before it has verified the signature. It
// waits at most 5 seconds for a body and closes the connections of senders that
// it rejects. Your http.Server reads the headers: set its ReadHeaderTimeout and
// IdleTimeout.
//
// # Response time
//
// The service waits 5 seconds for the response. Any status but 200 is a failure.
// ApsaraVideo VOD then repeats the callback after one second and gives up after
// three attempts. Hand long work to your own queue, expect the same event more
// than once, and poll what matters in case an event is lost. A queue keeps events
// while your program is down.
package events
