package mediatest

import (
	"cmp"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Instance is the ECS instance that the metadata service describes.
type Instance struct {
	// Id is the id of the instance, such as "i-bp1a2b3c4d5e6f7g8h9i".
	Id string

	// Role is the RAM role that is attached to the instance, whose credentials
	// the service gives out. Empty means none.
	Role string

	// TokenRequired is the security hardening mode: metadata only for requests
	// with a token (IMDSv2). Without it, requests without a token are answered
	// too (IMDSv1).
	TokenRequired bool
}

const (
	metadataHost  = "100.100.100.200"
	metadataRoot  = "/latest/meta-data/"
	roleRoot      = "ram/security-credentials/"
	metadataToken = "/latest/api/token"
	tokenHeader   = "X-Aliyun-Ecs-Metadata-Token"
	maxTokenLife  = 21600 // seconds
	roleKeysLife  = 6 * time.Hour
)

// Instance is the instance of the first account that the metadata service
// describes. A server begins with one that has a role and allows IMDSv1.
func (s *Server) Instance() Instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.instance.Instance
}

// SetInstance changes the instance that the metadata service describes. An empty
// Id leaves the id as it is. Credentials that the service gave out stay valid, but
// are not given out again.
func (s *Server) SetInstance(i Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i.Role != "" && !instanceRole.MatchString(i.Role) {
		s.misuse("SetInstance: the role %q is not the name of one", i.Role)
		return
	}
	i.Id = cmp.Or(i.Id, s.instance.Id)
	s.instance.Instance, s.instance.keys = i, nil
}

var instanceRole = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)

// instance is the state of the metadata service.
type instance struct {
	Instance
	secret string // signs tokens
	keys   *key   // last given out
	issued time.Time
}

func (s *Server) newInstance() instance {
	return instance{Instance: Instance{Id: "i-" + s.randomID(10), Role: roleName}, secret: s.randomID(32)}
}

// asksMetadata reports whether a request is for the metadata service: to its
// address, through a proxy, or to the paths below /latest/ with no signature of
// OSS.
func asksMetadata(r *http.Request) bool {
	return r.Host == metadataHost || strings.HasPrefix(r.URL.Path, "/latest/") && r.Header.Get("Authorization") == "" && r.URL.RawQuery == ""
}

func metadataOperation(r *http.Request) string {
	if r.URL.Path == metadataToken {
		return "CreateMetadataToken"
	}
	return "GetMetadata"
}

// serveMetadata answers a request to the metadata service.
func (s *Server) serveMetadata(x *exchange) {
	text, err := s.metadata(x)
	if err != nil {
		x.refuse(s.asFailure(err))
		return
	}
	h := x.w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = x.w.Write([]byte(text))
}

var (
	errNoMetadata     = refused(http.StatusNotFound, "NotFound", "The metadata item does not exist.")
	errMetadataMethod = refused(http.StatusMethodNotAllowed, "MethodNotAllowed", "The metadata service does not take this method here.")
	errNoToken        = refused(http.StatusForbidden, "Forbidden", "The instance answers requests with a metadata token only.")
	errBadToken       = refused(http.StatusUnauthorized, "Unauthorized", "The metadata token is not valid, or has expired.")
)

func (s *Server) metadata(x *exchange) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.operation == "CreateMetadataToken" {
		if x.r.Method != http.MethodPut {
			return "", errMetadataMethod
		}
		seconds, err := strconv.Atoi(x.r.Header.Get(tokenHeader + "-Ttl-Seconds"))
		if err != nil || seconds < 1 || seconds > maxTokenLife {
			return "", refused(http.StatusBadRequest, "BadRequest", "The life of the token must be 1 to %d seconds.", maxTokenLife)
		}
		return s.instance.token(s.now().Add(time.Duration(seconds) * time.Second)), nil
	}
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		return "", errMetadataMethod
	}
	switch token := x.r.Header.Get(tokenHeader); {
	case token == "" && s.instance.TokenRequired:
		return "", errNoToken
	case token != "" && !s.instance.accepts(token, s.now()):
		return "", errBadToken
	}
	return s.metadataItem(x.r.URL.Path)
}

// token is the time until which it is valid, and a signature.
func (i *instance) token(until time.Time) string {
	text := strconv.FormatInt(until.Unix(), 16)
	return text + "-" + hex.EncodeToString(hmacSHA256([]byte(i.secret), text))
}

func (i *instance) accepts(token string, now time.Time) bool {
	text, _, _ := strings.Cut(token, "-")
	until, err := strconv.ParseInt(text, 16, 64)
	return err == nil && hmac.Equal([]byte(i.token(time.Unix(until, 0))), []byte(token)) && now.Before(time.Unix(until, 0))
}

// metadataItem is the value at a path, or the names below it, one a line. The
// caller holds mu.
func (s *Server) metadataItem(path string) (string, error) {
	if path == "/latest/dynamic/instance-identity/document" {
		return s.identityDocument()
	}
	name, ok := strings.CutPrefix(strings.TrimSuffix(path, "/")+"/", metadataRoot)
	if !ok {
		return "", errNoMetadata
	}
	items := s.metadataItems()
	if name = strings.TrimSuffix(name, "/"); items[name] != "" {
		return items[name], nil
	}
	if role := s.instance.Role; role != "" && name == roleRoot+role {
		return s.roleKeys()
	}
	if s.instance.Role != "" {
		items[roleRoot+s.instance.Role] = "keys"
	}
	below := map[string]bool{}
	for item := range items {
		if rest, ok := strings.CutPrefix(item, name+"/"); ok || name == "" {
			if name == "" {
				rest = item
			}
			first, _, deeper := strings.Cut(rest, "/")
			if deeper {
				first += "/"
			}
			below[first] = true
		}
	}
	if len(below) == 0 {
		return "", errNoMetadata
	}
	return strings.Join(slices.Sorted(maps.Keys(below)), "\n"), nil
}

// metadataItems are the items that do not expire.
func (s *Server) metadataItems() map[string]string {
	return map[string]string{
		"instance-id": s.instance.Id, "region-id": s.opts.region, "zone-id": s.opts.region + "-a", "owner-account-id": s.first.Load().id,
		"hostname": "mediatest", "image-id": "aliyun_3_x64_20G_alibase.vhd", "mac": "00:16:3e:00:00:01", "network-type": "vpc",
		"private-ipv4": "192.168.0.1", "serial-number": s.instance.Id + "-serial",
		"instance/instance-type": "ecs.g7.large", "instance/instance-name": "mediatest",
	}
}

func (s *Server) identityDocument() (string, error) {
	text, err := json.Marshal(fields{
		"instance-id": s.instance.Id, "region-id": s.opts.region, "zone-id": s.opts.region + "-a",
		"owner-account-id": s.first.Load().id, "private-ipv4": "192.168.0.1", "instance-type": "ecs.g7.large",
	})
	return string(text), err
}

// roleKeys are the credentials of the instance's role. They are the same ones
// until half of their life is over.
func (s *Server) roleKeys() (string, error) {
	i, now, life := &s.instance, s.now(), roleKeysLife
	if s.opts.life != defaultLife {
		life = s.opts.life
	}
	if i.keys == nil || s.keys[i.keys.AccessKeyId] == nil || i.keys.expired(now.Add(life/2)) {
		i.keys, i.issued = s.first.Load().assume(i.Role, i.Id, life), now
	}
	text, err := json.MarshalIndent(fields{
		"AccessKeyId": i.keys.AccessKeyId, "AccessKeySecret": i.keys.AccessKeySecret, "SecurityToken": i.keys.SecurityToken,
		"Expiration": i.keys.Expires.Format(timeFormat), "LastUpdated": i.issued.Format(timeFormat), "Code": "Success",
	}, "", "  ")
	return string(text), err
}

// writeMetadataError writes a page, since the service is no API.
func writeMetadataError(x *exchange, f failure) {
	text := "<html><head><title>" + strconv.Itoa(f.status) + " - " + http.StatusText(f.status) + "</title></head><body>" + html.EscapeString(f.message) + "</body></html>\n"
	x.w.Header().Set("Content-Type", "text/html")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	x.w.WriteHeader(f.status)
	_, _ = x.w.Write([]byte(text))
}
