// Package alimedia holds the words shared by the Alibaba Cloud media clients:
// [Config], the one API error [*Error], [*ValidationError], [JSON] documents
// and [Poll].
//
// The operations are in [github.com/alimedia/alimedia-go/ice] (Intelligent
// Media Services) and [github.com/alimedia/alimedia-go/vod] (ApsaraVideo VOD);
// [github.com/alimedia/alimedia-go/upload] takes a file to a registered media
// asset in one call.
package alimedia

// Version is the version of this module as sent in the User-Agent.
const Version = "0.1.0"
