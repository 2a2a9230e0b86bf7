package checkpoint

import (
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// Identity recognizes a source in a later run: Source and Query say where it
// is, and the other fields which content it had.
type Identity struct {
	Source   string `json:"source"`             // an absolute path, or a URL without its query; empty if only a key can identify the upload
	Query    string `json:"query,omitempty"`    // digest of a URL's query, which may hold a signature
	Size     int64  `json:"size"`               // bytes, UnknownSize if the source does not say
	Modified string `json:"modified,omitempty"` // RFC 3339 with nanoseconds, or a strong Last-Modified
	ETag     string `json:"etag,omitempty"`     // of a URL, strong
	Files    string `json:"files,omitempty"`    // digest of all files that a playlist references
}

// UnknownSize is the size of a source that does not say its size.
const UnknownSize = -1

// FileIdentity identifies a file on disk by its path, its size and its
// modification time. The inode number is not part of it: network and user-space
// file systems give their files new numbers with each mount.
func FileIdentity(name string, info fs.FileInfo) Identity {
	path, err := filepath.Abs(name)
	if err != nil {
		path = ""
	}
	id := ContentIdentity(info)
	id.Source = path
	return id
}

// ContentIdentity identifies a file whose path says nothing.
func ContentIdentity(info fs.FileInfo) Identity {
	return Identity{Size: info.Size(), Modified: info.ModTime().UTC().Format(time.RFC3339Nano)}
}

// Digest represents a text that must not be on disk. The digest of an empty
// text is empty.
func Digest(text string) string {
	if text == "" {
		return ""
	}
	return digest([]byte(text))
}

// Unsigned returns a URL without the parts that may be secret: user, query and
// fragment.
func Unsigned(address string) string {
	address, _, _ = strings.Cut(address, "#")
	address, _, _ = strings.Cut(address, "?")
	if scheme, rest, ok := strings.Cut(address, "://"); ok {
		host, path, slash := strings.Cut(rest, "/")
		host = host[strings.LastIndexByte(host, '@')+1:]
		if slash {
			host += "/" + path
		}
		address = scheme + "://" + host
	}
	return address
}
