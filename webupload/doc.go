// Package webupload has the HTTP handlers of a backend whose users upload files
// from a web page, straight to the storage of ApsaraVideo VOD or Intelligent Media
// Services (ICE). The bytes never pass the backend.
//
// The page uses Alibaba's uploader, aliyun-upload-vod, as its documentation says:
//
//   - onUploadstarted posts to [Handler.Create], or to [Handler.Refresh] if the
//     uploader knows the VideoId from an earlier visit, and calls
//     setUploadAuthAndAddress with the response
//   - onUploadTokenExpired posts to [Handler.Refresh] and calls
//     resumeUploadWithAuth
//   - onUploadSucceed posts to [Handler.Complete], which asks the service what has
//     arrived and tells the application
//   - a button that cancels the upload posts to [Handler.Cancel], which deletes the
//     asset that was created for it
//
// See examples/webpage for the page and its backend.
//
// # Requests and responses
//
// All requests are POST with a JSON body of at most [MaxBytes] and the
// Content-Type application/json. The body of Create has FileName and FileSize
// (bytes) and optionally ContentType, Title, Description, Tags (a list), Target and
// Metadata (an object of strings), which [Request] explains. The responses of Create
// and Refresh are those of the service: RequestId, VideoId, UploadAddress and
// UploadAuth, undecoded; of other targets ImageId or MediaId and the URLs as well.
//
// Create also returns the header Upload-Token. The page keeps it next to the
// VideoId, for example in localStorage, and sends it with Refresh, Complete and
// Cancel, whose bodies are {"VideoId": "..."} or {"MediaId": "..."} or {"ImageId": "..."}.
// The token is a signature over the ID, the owner, the declared size and the time at
// which it expires. It contains no secret, and it is of no use to another owner.
//
// Complete responds {"VideoId", "Status", "Size"} with what the service says: status
// 202 and Retry-After while the service does not know of the file yet, then 200.
//
// Errors are {"code", "message", "requestId"} with the status that [Handler]
// documents.
//
// # What is enforced, and where
//
// The policy decides before anything is created, and the request that it returns is
// the one that is sent: nothing that the browser says reaches the service by
// itself.
//
// FileSize is what the browser says. Neither the service nor OSS enforces it: with
// an UploadAuth, a browser can store a file of any size, but only as the one object
// that the credential is for. Complete therefore compares the size that the service
// reports with the declared one. A file that is larger is deleted from the service.
// A page that never calls Complete leaves a file that no hook has heard of: handle
// the event FileUploadComplete (package events), or list the assets, to find and
// delete such files.
//
// The owner of an UploadAuth can replace the object until the credential expires,
// 3,000 seconds after it was issued, even after Complete. Refresh issues no
// credential for an asset whose file has arrived. If a file must not change after it
// was approved, wait for that time before you publish it, or compare the file again.
//
// # STS mode
//
// [Handler.Credentials] responds with {AccessKeyId, AccessKeySecret, SecurityToken,
// Expiration} of a RAM role for setSTSToken of the uploader, which then calls
// CreateUploadVideo itself. Prefer the other mode: RAM cannot restrict the
// parameters of a call, so that such a credential creates any number of assets with
// any title, template, storage location and size until it expires, and no policy of
// yours sees them. With vod:RefreshUploadVideo it also replaces the file of every
// video of the account whose ID is known to the user. That is why [STS] permits
// CreateUploadVideo only, unless you add to its Actions.
package webupload
