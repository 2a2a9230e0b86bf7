package vod

import (
	"net/url"
	"strings"

	"github.com/alimedia/alimedia-go"
)

// sameStorageLocation checks that all files of a RegisterMedia request lie in
// one bucket. URLs that do not show their bucket are left to the service.
func sameStorageLocation(req any) []alimedia.Violation {
	first := ""
	for _, file := range req.(RegisterMediaRequest).RegisterMetadatas {
		bucket := bucketOf(file.FileURL)
		switch {
		case bucket == "" || bucket == first:
		case first == "":
			first = bucket
		default:
			return []alimedia.Violation{{Field: "RegisterMetadatas", Rule: "all files in one storage location"}}
		}
	}
	return nil
}

// bucketOf is the bucket of an OSS URL, empty where the host is a domain of
// the user's own.
func bucketOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	bucket, rest, _ := strings.Cut(host, ".")
	switch {
	case u.Scheme == "oss":
		return host
	case strings.HasPrefix(rest, "oss-") && strings.HasSuffix(rest, ".aliyuncs.com"):
		return bucket
	default:
		return ""
	}
}
