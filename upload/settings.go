package upload

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// objectSettings is what OSS is to know of an object besides its bytes, as
// request headers. The zero value says nothing.
type objectSettings struct {
	contentType string
	key         string            // of the object that own is for
	own         map[string]string // of this object only, not of the segments of a playlist
	common      map[string]string // of the segments too
	acl         string
	forbid      bool // an object that is there must not be overwritten
}

// of returns the settings of the object at a, which may be a segment.
func (s objectSettings) of(a address) objectSettings {
	if a.Key != s.key {
		s.contentType, s.own = "", nil
	}
	return s
}

func (s objectSettings) ofInitiate() map[string]string {
	h := withSettings(s.common, s.own)
	if s.forbid {
		h = withSettings(h, map[string]string{headerForbid: "true"})
	}
	return h
}

func (s objectSettings) ofPut() map[string]string {
	h := s.ofInitiate()
	if s.acl != "" {
		h = withSettings(h, map[string]string{headerACL: s.acl})
	}
	return h
}

func (s objectSettings) ofComplete() map[string]string {
	h := make(map[string]string)
	if s.acl != "" {
		h[headerACL] = s.acl
	}
	if s.forbid {
		h[headerForbid] = "true"
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

// settings checks what is to be said of the object and writes it as headers.
func (t Bucket) settings(key string) (objectSettings, error) {
	s := objectSettings{
		key: key, contentType: t.ContentType, acl: t.ACL, forbid: t.ForbidOverwrite,
		own: make(map[string]string), common: make(map[string]string),
	}
	add := func(to map[string]string, name, value string) {
		if value != "" {
			to[name] = value
		}
	}
	add(s.own, "Content-Disposition", t.ContentDisposition)
	add(s.own, "Content-Encoding", t.ContentEncoding)
	add(s.own, "Content-Language", t.ContentLanguage)
	add(s.common, "Cache-Control", t.CacheControl)
	add(s.common, "X-Oss-Storage-Class", t.StorageClass)
	add(s.common, "X-Oss-Server-Side-Encryption", t.Encryption)
	add(s.common, "X-Oss-Server-Side-Encryption-Key-Id", t.EncryptionKeyId)
	if !t.Expires.IsZero() {
		s.common["Expires"] = t.Expires.UTC().Format(http.TimeFormat)
	}
	var errs []error
	errs = append(errs, oneOf("StorageClass", t.StorageClass, "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"))
	errs = append(errs, oneOf("ACL", t.ACL, "default", "private", "public-read", "public-read-write"))
	errs = append(errs, oneOf("Encryption", t.Encryption, "AES256", "KMS", "SM4"))
	if t.EncryptionKeyId != "" && t.Encryption != "KMS" {
		errs = append(errs, errors.New("EncryptionKeyId needs Encryption KMS"))
	}
	tags, err := tagging(t.Tags)
	errs = append(errs, err)
	add(s.common, "X-Oss-Tagging", tags)
	errs = append(errs, metadata(s.common, t.Metadata))
	for _, headers := range []map[string]string{{"Content-Type": t.ContentType}, s.own, s.common} {
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			if err := checkHeader(headers[name], name == "X-Oss-Tagging"); err != nil {
				errs = append(errs, fmt.Errorf("%s %w", name, err))
			}
		}
	}
	return s, errors.Join(errs...)
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
