// Package alimedia has the types that the clients of Alibaba Cloud's media
// services share: [Config], the API error [*Error], [*ValidationError], [JSON]
// documents and [Poll].
//
// Package [github.com/alimedia/alimedia-go/ice] has the operations of
// Intelligent Media Services and [github.com/alimedia/alimedia-go/vod] those of
// ApsaraVideo VOD. With [github.com/alimedia/alimedia-go/upload], one call turns
// a file into a registered media asset.
//
// The pages of ice and vod begin with "Where to begin": the operations for
// uploading, registering, search, transcoding and playing. Every group of
// operations has an example that runs without an account, on package
// [github.com/alimedia/alimedia-go/mediatest].
package alimedia

// Version is the version of this module as sent in the User-Agent.
const Version = "0.1.0"
