// Package playurl signs play URLs, verifies them, and keeps play information of
// the services until shortly before it expires.
//
// # URL signing
//
// A domain name that is added to ApsaraVideo VOD is public until URL signing is
// enabled for it: in the console under Configuration Management > CDN
// Configuration > Domain Names > Configure > Resource Access Control > URL
// Signing. Then the CDN answers a URL without a valid signature with HTTP 403.
// Alibaba Cloud CDN and DCDN sign in the same way. Three settings of the console
// have to be the same in [Config]:
//
//	console                          Config
//	Type: A                          Type: A       https://host/path?auth_key=<time>-<random>-<user>-<hash>
//	Type: B                          Type: B       https://host/<time>/<hash>/path
//	Type: C                          Type: C       https://host/<hash>/<time>/path
//	                                 Type: CQuery  https://host/path?KEY1=<hash>&KEY2=<time>
//	Primary Key, Secondary Key       Keys          the first one signs, Verify accepts each
//	Validity Period (TTL)            TTL           30 minutes if zero
//
// The CDN accepts a URL until its time plus the validity period of the console.
// So [Signer.Sign] writes the current time, and [Signer.SignUntil] writes the
// requested end minus TTL. If TTL differs from the console, URLs end earlier or
// later than SignUntil was told.
//
// The hash is an MD5 digest of path, time and key. It covers neither the host, nor
// the scheme, nor other query parameters: a signed path is valid on every domain
// name with the same key. Use a different key for each domain name.
//
// A signature is for one URL. The segments of an HLS stream are requests of their
// own, which the CDN verifies, too.
//
// To change the key: enter the new key as the secondary key and wait until the
// setting is effective, sign with the new key, and replace the primary key after
// the last URL of the old key has expired. Both keys are equally valid. A
// verifier has both in Keys in the meantime.
//
// If the service makes the URLs, you need no key: [github.com/alimedia/alimedia-go/vod.Client.GetPlayInfo] returns
// signed URLs of a domain name with URL signing.
//
// # Cache
//
// [VODPlayInfo], [VODPlayAuth] and [ICEPlayInfo] return a [Cache] in front of
// GetPlayInfo and GetVideoPlayAuth, because each operation permits only some
// hundred calls per second for an account.
//
// References:
//   - https://www.alibabacloud.com/help/en/vod/user-guide/url-signing
//   - https://www.alibabacloud.com/help/en/vod/user-guide/type-a-signing
//   - https://www.alibabacloud.com/help/en/vod/user-guide/type-b-signing
//   - https://www.alibabacloud.com/help/en/vod/user-guide/type-c-signing
package playurl
