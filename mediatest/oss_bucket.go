package mediatest

import (
	"encoding/xml"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)

// listedBucket is a bucket in an answer.
type listedBucket struct {
	CreationDate, ExtranetEndpoint, IntranetEndpoint, Location, Name, Region, StorageClass string
}

func (b *bucket) listed(name string) listedBucket {
	return listedBucket{
		CreationDate: b.created.Format(ossTime), Name: name, Region: b.region, Location: "oss-" + b.region, StorageClass: "Standard",
		ExtranetEndpoint: "oss-" + b.region + ".aliyuncs.com", IntranetEndpoint: "oss-" + b.region + "-internal.aliyuncs.com",
	}
}

// listBuckets lists the buckets of the caller's account.
func (s *Server) listBuckets(x *exchange) (reply, error) {
	most, err := x.number("max-keys", 100, 1, maxListing)
	if err != nil {
		return reply{}, err
	}
	q := x.query
	answer := struct {
		XMLName        xml.Name `xml:"ListAllMyBucketsResult"`
		Prefix, Marker string
		MaxKeys        int
		IsTruncated    bool
		NextMarker     string `xml:",omitempty"`
		Owner          owner
		Buckets        struct{ Bucket []listedBucket }
	}{Prefix: q.Get("prefix"), Marker: q.Get("marker"), MaxKeys: most, Owner: x.by.owner.ossOwner()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if !x.by.owner.owns(name) || !strings.HasPrefix(name, q.Get("prefix")) || name <= q.Get("marker") {
			continue
		}
		if n := len(answer.Buckets.Bucket); n == most {
			answer.IsTruncated, answer.NextMarker = true, answer.Buckets.Bucket[n-1].Name
			break
		}
		answer.Buckets.Bucket = append(answer.Buckets.Bucket, s.buckets[name].listed(name))
	}
	return reply{xml: answer}, nil
}

// putBucket makes a bucket in the server's region. One that the account has
// stays as it is.
func (s *Server) putBucket(x *exchange) (reply, error) {
	if !bucketName.MatchString(x.bucket) {
		return reply{}, refused(400, "InvalidBucketName", "The specified bucket is not valid.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[x.bucket]; b != nil && b.owner != x.by.owner {
		return reply{}, refused(409, "BucketAlreadyExists", "The requested bucket name is not available. Please select a different name and try again.")
	}
	s.ensureBucket(x.by.owner, x.bucket)
	x.w.Header().Set("Location", "/"+x.bucket)
	return reply{}, nil
}

func (s *Server) deleteBucket(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.still(x); err != nil {
		return reply{}, err
	}
	switch {
	case x.bucket == x.by.owner.storage:
		return reply{}, refused(403, "AccessDenied", "The bucket is managed by the service.")
	case len(s.buckets[x.bucket].objects) > 0, len(s.openUploads(x.bucket, "")) > 0:
		return reply{}, refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")
	}
	delete(s.buckets, x.bucket)
	return reply{status: http.StatusNoContent}, nil
}

func (s *Server) bucketInfo(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.still(x); err != nil {
		return reply{}, err
	}
	b := s.buckets[x.bucket]
	type info struct {
		listedBucket
		DataRedundancyType string
		Owner              owner
		AccessControlList  grant
	}
	return reply{xml: struct {
		XMLName xml.Name `xml:"BucketInfo"`
		Bucket  info
	}{Bucket: info{b.listed(x.bucket), "LRS", b.owner.ossOwner(), grant{"private"}}}}, nil
}

func (s *Server) bucketLocation(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.still(x); err != nil {
		return reply{}, err
	}
	return reply{xml: struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Text    string   `xml:",chardata"`
	}{Text: "oss-" + s.buckets[x.bucket].region}}, nil
}

func (s *Server) bucketACL(x *exchange) (reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.still(x); err != nil {
		return reply{}, err
	}
	return reply{xml: s.buckets[x.bucket].owner.controls("private")}, nil
}

// owner is the account that a bucket belongs to.
type owner struct{ ID, DisplayName string }

func (acc *Account) ossOwner() owner { return owner{acc.id, acc.id} }

type grant struct{ Grant string }

type accessControl struct {
	XMLName           xml.Name `xml:"AccessControlPolicy"`
	Owner             owner
	AccessControlList grant
}

func (acc *Account) controls(acl string) accessControl {
	return accessControl{Owner: acc.ossOwner(), AccessControlList: grant{acl}}
}
