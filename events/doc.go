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
// Queue consumers (CallbackType MNS) receive the same message as the body of a
// queue message and decode it with [Parse].
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
// than once, and poll what matters in case an event is lost.
package events
