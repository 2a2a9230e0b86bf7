// Package events receives what ApsaraVideo VOD and Intelligent Media Services
// (IMS, product code ICE) report: a verified [http.Handler] for HTTP callbacks
// and one [Event] for the messages of both.
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
// # Setting it up
//
// Callbacks are configured once for each region: SetMessageCallback of package
// vod, SetEventCallback of package ice, both with CallbackType HTTP, AuthSwitch
// on, an AuthKey (at most 32 characters, with upper and lower case letters and
// digits) and the EventTypeList. The CallbackURL given there, byte for byte,
// goes into [Config].URLs, and so does every URL that a UserData names in its
// MessageCallback.
//
// To change the AuthKey, give the receiver the old and the new one, then
// change the setting, and drop the old one minutes later.
//
// Queue consumers (CallbackType MNS) get the same message as the body of a
// queue message and read it by [Parse].
//
// # What the signature proves, and what not
//
// It is MD5 over callback URL, time and AuthKey. The body is NOT covered:
// whoever sees one callback on its way can send another body under its headers
// until the window closes. Hence:
//
//   - use an https CallbackURL;
//   - keep [Config].Window small and the memory of replays on;
//   - take an event for a hint: read the asset (GetVideoInfo, GetMediaInfo)
//     before acting on it. An upload that waits for [News] does just that.
//
// # Strangers
//
// A [Receiver] closes the connection of a sender that it refuses, reads no body
// before the signature is verified, and waits 5 seconds for a body. The headers
// are read by your http.Server: set its ReadHeaderTimeout and IdleTimeout.
//
// # Answering in time
//
// The service waits 5 seconds for an answer. Anything but a 200 is a failure:
// ApsaraVideo VOD then repeats the callback a second later and drops it for
// good after three attempts in all. So hand long work to a queue of your own, be
// ready for the same event twice, and look at what matters by yourself in case
// that an event got lost.
package events
