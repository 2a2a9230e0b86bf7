package ossobject

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Settings is what OSS is told about an object besides its bytes. Package upload
// documents the fields.
type Settings struct {
	ContentType        string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	CacheControl       string
	Expires            time.Time
	StorageClass       string
	ACL                string
	Encryption         string
	EncryptionKeyID    string
	Tags               map[string]string
	Metadata           map[string]string
	ForbidOverwrite    bool
}

// Headers are the request headers of an object, by operation. The zero value
// has none.
type Headers struct {
	contentType string
	put         map[string]string
	initiate    map[string]string
	complete    map[string]string
}

// ContentType is the content type of the object, or empty.
func (h Headers) ContentType() string { return h.contentType }

// WithContentType returns headers with another content type.
func (h Headers) WithContentType(contentType string) Headers {
	h.contentType = contentType
	return h
}

// Headers returns the headers of an object, and those of the segments of a playlist,
// which have neither ContentType nor ContentDisposition, ContentEncoding and
// ContentLanguage.
func (s Settings) Headers() (object, segment Headers, err error) {
	if s.isZero() {
		return Headers{}, Headers{}, nil
	}
	own, common := make(map[string]string), make(map[string]string)
	if err := s.fill(own, common); err != nil {
		return Headers{}, Headers{}, err
	}
	segment = s.headers(common)
	for name, value := range common {
		own[name] = value
	}
	object = s.headers(own)
	object.contentType = s.ContentType
	return object, segment, nil
}

func (s Settings) isZero() bool {
	return len(s.Tags) == 0 && len(s.Metadata) == 0 && s.Expires.IsZero() && !s.ForbidOverwrite &&
		s.ContentType+s.ContentDisposition+s.ContentEncoding+s.ContentLanguage+s.CacheControl+
			s.StorageClass+s.ACL+s.Encryption+s.EncryptionKeyID == ""
}

// headers distributes headers over the operations.
func (s Settings) headers(all map[string]string) Headers {
	h := Headers{initiate: all, complete: make(map[string]string)}
	if s.ForbidOverwrite {
		h.initiate[headerForbid], h.complete[headerForbid] = "true", "true"
	}
	h.put = maps.Clone(h.initiate)
	if s.ACL != "" {
		h.put[headerACL], h.complete[headerACL] = s.ACL, s.ACL
	}
	return h
}

const (
	headerForbid = "X-Oss-Forbid-Overwrite"
	headerACL    = "X-Oss-Object-Acl"
	headerMeta   = "X-Oss-Meta-"

	maxHeader   = 2 << 10 // bytes of the value of one header
	maxMetadata = 8 << 10 // bytes of all names and values of the metadata
	maxTags     = 10
)

// fill checks the settings and writes them as headers: own for the object,
// common for its segments too.
func (s Settings) fill(own, common map[string]string) error {
	add := func(to map[string]string, name, value string) {
		if value != "" {
			to[name] = value
		}
	}
	add(own, "Content-Disposition", s.ContentDisposition)
	add(own, "Content-Encoding", s.ContentEncoding)
	add(own, "Content-Language", s.ContentLanguage)
	add(common, "Cache-Control", s.CacheControl)
	add(common, "X-Oss-Storage-Class", s.StorageClass)
	add(common, "X-Oss-Server-Side-Encryption", s.Encryption)
	add(common, "X-Oss-Server-Side-Encryption-Key-Id", s.EncryptionKeyID)
	if !s.Expires.IsZero() {
		common["Expires"] = s.Expires.UTC().Format(http.TimeFormat)
	}
	var errs []error
	errs = append(errs, oneOf("StorageClass", s.StorageClass, "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"))
	errs = append(errs, oneOf("ACL", s.ACL, "default", "private", "public-read", "public-read-write"))
	errs = append(errs, oneOf("Encryption", s.Encryption, "AES256", "KMS", "SM4"))
	if s.EncryptionKeyID != "" && s.Encryption != "KMS" {
		errs = append(errs, errors.New("EncryptionKeyId needs Encryption KMS"))
	}
	tags, err := tagging(s.Tags)
	errs = append(errs, err)
	add(common, "X-Oss-Tagging", tags)
	errs = append(errs, metadata(common, s.Metadata))
	for _, headers := range []map[string]string{{"Content-Type": s.ContentType}, own, common} {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			if err := checkHeader(headers[name], name == "X-Oss-Tagging"); err != nil {
				errs = append(errs, fmt.Errorf("%s %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

func oneOf(name, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s %.40q: OSS takes %s", name, value, strings.Join(allowed, ", "))
}

// checkHeader refuses what would end a header or be changed on its way.
func checkHeader(value string, long bool) error {
	switch {
	case len(value) > maxHeader && !long:
		return fmt.Errorf("has %d bytes, at most %d are possible", len(value), maxHeader)
	case !utf8.ValidString(value):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(value, unicode.IsControl):
		return errors.New("has a control character")
	case strings.TrimSpace(value) != value:
		return errors.New("begins or ends with a blank")
	}
	return nil
}

// tagging writes tags as OSS takes them.
func tagging(tags map[string]string) (string, error) {
	if len(tags) > maxTags {
		return "", fmt.Errorf("%d Tags, OSS takes %d", len(tags), maxTags)
	}
	allowed := func(text string) bool {
		return !strings.ContainsFunc(text, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" +-=._:/", r)
		})
	}
	var pairs []string
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256:
			return "", fmt.Errorf("tag %.40q: a key has 1 to 128 characters, a value at most 256", key)
		case !allowed(key) || !allowed(value):
			return "", fmt.Errorf("tag %.40q: only letters, digits, blanks and + - = . _ : / are possible", key)
		}
		pairs = append(pairs, url.QueryEscape(key)+"="+url.QueryEscape(value))
	}
	return strings.Join(pairs, "&"), nil
}

// metadata adds user metadata to headers.
func metadata(headers, meta map[string]string) error {
	size := 0
	for _, name := range slices.Sorted(maps.Keys(meta)) {
		header := textproto.CanonicalMIMEHeaderKey(headerMeta + name)
		_, twice := headers[header]
		switch {
		case name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
		}):
			return fmt.Errorf("name %.40q in Metadata: only letters, digits and dashes are possible", name)
		case twice:
			return fmt.Errorf("name %.40q is twice in Metadata: its case does not count", name)
		}
		headers[header] = meta[name]
		size += len(headerMeta) + len(name) + len(meta[name])
	}
	if size > maxMetadata {
		return fmt.Errorf("%d bytes of Metadata with its names, at most %d are possible", size, maxMetadata)
	}
	return nil
}
