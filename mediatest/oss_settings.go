package mediatest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// settings are the header fields that OSS keeps with an object, besides
// x-oss-meta-*, with the values that it accepts; none: all.
var settings = map[string]string{
	"Content-Type": "", "Content-Disposition": "", "Content-Encoding": "", "Content-Language": "", "Cache-Control": "", "Expires": "",
	"X-Oss-Storage-Class":          "Standard IA Archive ColdArchive DeepColdArchive",
	"X-Oss-Object-Acl":             "default private public-read public-read-write",
	"X-Oss-Server-Side-Encryption": "AES256 KMS SM4",
	"X-Oss-Tagging":                "",
}

const (
	metaPrefix = "X-Oss-Meta-"
	maxMeta    = 8 << 10 // bytes of all x-oss-meta-* together
	maxTags    = 10
)

// settingsOf reads what an upload says of its object.
func settingsOf(h http.Header) (http.Header, error) {
	kept, size := http.Header{}, 0
	for name, values := range h {
		if _, known := settings[name]; known {
			if err := checkSetting(name, values[0]); err != nil {
				return nil, err
			}
			kept[name] = values[:1]
		}
		if strings.HasPrefix(name, metaPrefix) {
			size += len(name) - len(metaPrefix) + len(values[0])
			kept[name] = values[:1]
		}
	}
	if size > maxMeta {
		return nil, refused(400, "InvalidArgument", "The total size of the user metadata exceeds %d bytes.", maxMeta)
	}
	return kept.Clone(), nil
}

func checkSetting(name, value string) error {
	if allowed := settings[name]; allowed != "" && !contains(allowed, value) {
		return ossArgument(strings.ToLower(name), value, "The argument is not valid.")
	}
	if name == "X-Oss-Tagging" {
		return checkTags(value)
	}
	return nil
}

func checkTags(text string) error {
	tags, err := url.ParseQuery(text)
	if err != nil || len(tags) > maxTags {
		return refused(400, "InvalidTag", "The tagging is not valid, or has more than %d tags.", maxTags)
	}
	for name, values := range tags {
		if name == "" || len(values) > 1 || len(name) > 128 || len(values[0]) > 256 {
			return refused(400, "InvalidTag", "The tag %q is not valid.", name)
		}
	}
	return nil
}

// describe writes what HeadObject and GetObject say of the settings.
func (o *object) describe(h http.Header) {
	h.Set("Content-Type", "application/octet-stream")
	h.Set("x-oss-storage-class", "Standard")
	for name, values := range o.header {
		switch name {
		case "X-Oss-Object-Acl": // GetObjectACL tells
		case "X-Oss-Tagging":
			tags, _ := url.ParseQuery(values[0]) // was checked
			h.Set("x-oss-tagging-count", strconv.Itoa(len(tags)))
		default:
			h[name] = slices.Clone(values)
		}
	}
}

// mayOverwrite refuses to replace an object where the request says so. The
// caller holds mu.
func (s *Server) mayOverwrite(x *exchange) error {
	if x.r.Header.Get("x-oss-forbid-overwrite") != "true" || s.object(x.bucket, x.key) == nil {
		return nil
	}
	f := refused(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.")
	f.extra = [][2]string{{"Key", x.key}}
	return f
}
