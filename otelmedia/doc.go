// Package otelmedia records traces and metrics of uploads and calls with
// OpenTelemetry.
//
//	tel, err := otelmedia.New()
//	video, err := vod.New(alimedia.Config{Region: "cn-shanghai", Observer: tel.Calls()})
//	up, err := upload.New(upload.Config{VOD: video, Observer: tel.Uploads()})
//
// An upload is a span. Its requests to OSS and its calls of operations are
// children of it, and spans of an instrumented HTTP client are children of
// these. Stages, retries and refreshes are events of the spans. Names and
// attributes follow version 1.43 of the semantic conventions where these have
// some; the others begin with "alimedia.".
//
// The metrics are:
//
//	alimedia.upload.started          counter       uploads that began, by target
//	alimedia.upload.ended            counter       uploads that ended, by target, outcome (done, skipped, failed) and error.type
//	alimedia.upload.active           up-down       uploads under way, by target
//	alimedia.upload.duration         histogram, s  by target and outcome
//	alimedia.upload.stage.duration   histogram, s  of a stage that ended, by target and stage
//	alimedia.upload.bytes            counter, By   confirmed by OSS, by target
//	alimedia.upload.bytes.resumed    counter, By   found from an earlier run, by target
//	alimedia.upload.bytes.in_flight  up-down, By   sent and not confirmed, by target
//	alimedia.oss.request.duration    histogram, s  of a request to OSS, by operation and error.type
//	alimedia.oss.request.queue_time  histogram, s  wait because of Config.Parallel, by operation
//	alimedia.oss.request.active      up-down       requests under way, by operation
//	alimedia.oss.request.sent        counter, By   bytes on the wire, those that were sent again included, by operation
//	alimedia.oss.request.retries     counter       by operation, reason and error.type
//	alimedia.credential.refreshes    counter       by reason and error.type
//	rpc.client.call.duration         histogram, s  of a call with its retries, by rpc.method, such as vod/GetVideoInfo, and error.type
//	alimedia.client.call.retries     counter       by rpc.method, reason and error.type
//
// error.type is the code that [github.com/alimedia/alimedia-go/upload.ErrorCode]
// and [github.com/alimedia/alimedia-go.ErrorCode] return. Codes and names of
// operations may come from outside: at most 200 different codes and 1,000
// different operations are recorded, further ones are "_OTHER".
//
// No secret, header, parameter or query of a URL is recorded. The names of files
// and media IDs are attributes of spans, not of metrics.
package otelmedia
