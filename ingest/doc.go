// Package ingest uploads and registers many files on many machines.
//
// A [Fleet] is a queue of jobs in NATS JetStream, and any number of workers that
// take them. [Fleet.Submit] fills the queue from a folder tree, a list of URLs or
// an OSS bucket. [Fleet.Work] does the jobs until its context ends. A job whose
// worker dies is delivered to another one, which goes on under the same MediaId.
//
//	fleet, err := ingest.Open(ctx, ingest.Config{URL: "nats://queue.example.com"})
//	_, err = fleet.Submit(ctx, ingest.Folder("/data/movies", ingest.Target{VODVideo: &upload.VODVideo{}}))
//	err = fleet.Work(ctx, ingest.WorkerConfig{VOD: video, Roots: []ingest.Root{{Dir: "/data/movies"}}})
//
// # One asset for each job
//
// Each job has a key. While a job of that key waits or is worked on, JetStream
// refuses another one. After it is done, its [Record] in a key-value bucket says
// so for as long as the bucket exists. What a worker has learned is in the
// key-value store before it sends the next request, so that the next worker
// continues there: the MediaId, the ID of the multipart upload and the parts that
// are stored. If a worker dies after the service has carried out a request, and
// before the response is recorded, the outcome depends on the target:
//
//   - VODVideo: one asset. It has a ReferenceId, which is the key of the job or is
//     made from it, and the next worker looks it up.
//   - ICEMedia: one asset. CreateUploadMedia has no ID of yours and no token, so
//     its UserData gets a mark, and the next worker looks for an asset without a
//     file that has this mark (ListMediaBasicInfos). The guarantee ends where the
//     service's list does not show an asset that was created.
//   - ICEStream: one complete stream. The service does not issue a second upload
//     credential for a stream, so the next worker asks for another stream and
//     sends all bytes again. The first one never gets a file.
//   - YikeAsset: one asset. The service registers it after the file is stored, and
//     the next worker looks up the registration. A file that was not registered
//     yet may be sent again as another object.
//   - RegisterMedia, RegisterMediaInfo and RegisterMediaStream: one registration.
//     The service knows an object by its URL.
//
// A multipart upload of a VODVideo whose ID was lost is removed by
// DeleteMultipartUpload. For the other targets the service has no such operation,
// so their files up to 64 MiB are sent in one request. If a worker dies while it
// sends a larger one, or a URL or an object of more than
// upload.Config.MultipartThreshold, two things may stay until the service removes
// them after 7 days: for ICEMedia a multipart upload without parts, if the worker
// died in the moment that it was initiated; for ICEStream and YikeAsset the parts
// that were sent.
//
// # Rates
//
// The workers share the documented rates of the services: each call has a slot on
// a common timeline in the key-value store. See [WorkerConfig].
//
// # Trust
//
// Jobs and results hold no credentials. A URL with a signature or a password is
// refused. Whoever can write to the queue decides what the workers upload, within
// [WorkerConfig].Roots, Buckets and the public internet. Protect a NATS server
// that is reachable by others with TLS and credentials, see [Config].
package ingest
