// Package mediatest is a fake of Alibaba Cloud's media services for tests:
// Intelligent Media Services (ICE), ApsaraVideo VOD and the Object Storage
// Service behind them, in one server of the test's own process.
//
//	srv := mediatest.New(t)
//	client, err := vod.New(srv.Config())
//	...
//	srv.Fault(mediatest.Fault{Operation: "CreateUploadVideo", Throttling: true})
//	... // run the code under test
//	media := srv.Medias()
//
// The fake behaves: it checks ACS3-HMAC-SHA256 and OSS V1 and V4 signatures
// with code of its own, hands out upload credentials that are bound to one
// object and expire, assembles multipart uploads by OSS's rules, refuses to
// register an object that is not there and moves an asset from Uploading to
// Normal when its bytes have arrived.
//
// Every operation answers, at one of two levels, which the header
// X-Mediatest-Level of the answer tells, [Levels] lists and COVERAGE.md shows.
// At level [Behavior] an operation reads and changes the state of the server.
// At level [Shape] the request is checked against the documentation, and the
// answer has the documented form with plausible values: what the request names
// comes back, lists have three items, pages end. [Strict] makes the latter an
// error, and [Server.Handle] puts an answer of your own in place of either.
//
// [Server.Fault] makes single calls fail, stall or lose their answer, answers
// with something else than the service's ([Fault].Foreign) or changes what it
// says ([Fault].Edit).
// [InMemory] replaces sockets by pipes, so that a test runs inside a
// testing/synctest bubble and hours of waiting take no time.
//
// Jobs end after [Processing], or as [Server.Outcome] says, and a test moves the
// time ahead by [Server.Clock]. What happens is reported as the services do: to
// the callback or the queue that SetMessageCallback, SetEventCallback or a
// UserData names, signed and repeated; [Server.Events] lists it all.
//
// The queues are those of Simple Message Queue (MNS). Their endpoint is [Server].URL
// too: a request below /queues/ with the header x-mns-version receives messages
// with long polling, deletes them or changes their visibility. [Server.Send] and
// [Server.QueueMessages] do the same without a request.
//
// [Server.UploadConfig] is what an uploader into buckets of its own needs.
//
// [Callback] makes the requests by which the services report events, signed.
//
// A server has one account or, by [Server.AddAccount], several, each with its
// keys, assets and buckets. The Security Token Service (STS) tells them apart by
// GetCallerIdentity and issues keys of their roles by AssumeRole. It answers at
// the same address as everything else: give [Server].URL as the endpoint of STS
// where one is asked for, such as in credentials.AssumeRoleOptions, and
// [Server.HTTPClient] as the HTTP client. An InMemory server also answers as
// sts.aliyuncs.com.
//
// [Server.NewOIDCProvider] makes an identity provider whose tokens
// AssumeRoleWithOIDC takes. The metadata service of an ECS instance answers below
// /latest/ of the same address, and at http://100.100.100.200 of an InMemory
// server or where the server is a client's HTTP proxy; [Server.SetInstance]
// chooses the role.
//
// [Server.NewUser] gives keys with a RAM policy, and [Throttle] limits calls.
//
// [Control] adds a page that shows what the server holds and was asked, and an
// HTTP API by which tests in other languages do what methods do here. The command
// cmd/mediatestd is a server of its own for them, at a fixed address. [Server.Reset]
// empties a server that several tests use in turn, and [MemoryLimit] says how much
// it keeps in memory. [Server.Save] writes what a server holds and [Server.Load]
// goes on with it in another process, at another port; [Seed] makes ids
// reproducible. Uploads to OSS may ask for a callback, which is sent as events are
// (see [EventClient]), and PostObject takes HTML forms with a signed policy.
//
// API calls and OSS requests share the server: a request with an x-acs-action
// header or an Action parameter (as with the older HMAC-SHA1 signature, which is
// taken too) is an API call, a request to a queue has x-mns-version, everything else is OSS, with the bucket in the path
// (which is how clients talk to an endpoint that is an IP address) or in the
// host name.
package mediatest
