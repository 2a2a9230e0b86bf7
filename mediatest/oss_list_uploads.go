package mediatest

import (
	"cmp"
	"encoding/xml"
	"slices"
	"strings"
)

type listedUpload struct {
	Key, UploadId, StorageClass, Initiated string
}

// uploadsPage is a page of the open uploads of a bucket: uploads, and prefixes
// that end at a delimiter.
type uploadsPage struct {
	uploads         []listedUpload
	prefixes        []commonPrefix
	nextKey, nextID string // of the last entry, when there are more
}

func (s *Server) listUploads(x *exchange) (reply, error) {
	most, err := x.number("max-uploads", maxListing, 1, maxListing)
	if err != nil {
		return reply{}, err
	}
	q := x.query
	s.mu.Lock()
	defer s.mu.Unlock()
	page := s.uploadsAfter(x, q.Get("key-marker"), q.Get("upload-id-marker"), most)
	return reply{xml: struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		EncodingType       string   `xml:",omitempty"`
		Bucket             string
		KeyMarker          string
		UploadIdMarker     string
		NextKeyMarker      string
		NextUploadIdMarker string
		Delimiter          string
		Prefix             string
		MaxUploads         int
		IsTruncated        bool
		Upload             []listedUpload
		CommonPrefixes     []commonPrefix
	}{
		EncodingType: q.Get("encoding-type"), Bucket: x.bucket, KeyMarker: x.encoded(q.Get("key-marker")), UploadIdMarker: q.Get("upload-id-marker"),
		NextKeyMarker: x.encoded(page.nextKey), NextUploadIdMarker: page.nextID,
		Delimiter: x.encoded(q.Get("delimiter")), Prefix: x.encoded(q.Get("prefix")), MaxUploads: most,
		IsTruncated: page.nextKey != "", Upload: page.uploads, CommonPrefixes: page.prefixes,
	}}, nil
}

// uploadsAfter pages through the uploads behind the two markers. The caller
// holds mu.
func (s *Server) uploadsAfter(x *exchange, keyMarker, idMarker string, most int) uploadsPage {
	var page uploadsPage
	lastKey, lastID, n := "", "", 0
	for _, u := range s.openUploads(x.bucket, x.query.Get("prefix")) {
		if u.key < keyMarker || u.key == keyMarker && (idMarker == "" || u.id <= idMarker) {
			continue
		}
		common := commonOf(u.key, x.query.Get("prefix"), x.query.Get("delimiter"))
		if common != "" && (common == lastKey || common <= keyMarker) {
			continue // told already
		}
		if n == most {
			page.nextKey, page.nextID = lastKey, lastID
			break
		}
		n++
		if common != "" {
			lastKey, lastID = common, ""
			page.prefixes = append(page.prefixes, commonPrefix{x.encoded(common)})
			continue
		}
		lastKey, lastID = u.key, u.id
		page.uploads = append(page.uploads, listedUpload{x.encoded(u.key), u.id, "Standard", u.initiated.Format(ossTime)})
	}
	return page
}

func (s *Server) openUploads(bucket, prefix string) []*upload {
	var all []*upload
	for _, u := range s.uploads {
		if u.open() && u.bucket == bucket && strings.HasPrefix(u.key, prefix) {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *upload) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.id, b.id)) })
	return all
}
