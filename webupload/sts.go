package webupload

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

// STS configures [Handler.Credentials]. Read the package comment about what these
// credentials permit.
type STS struct {
	// Source has the credentials that assume the role. Nil means
	// credentials.Default().
	Source credentials.Provider

	// Role is the role, of which only RoleArn is required. The Duration is 15 minutes
	// to one hour, 15 minutes if zero. If Policy is empty, the Actions are permitted.
	// If SessionName is empty, it is the owner, or a hash of the owner where the name
	// has other characters than letters, digits and . @ - _, so that the audit log
	// tells who used the credentials.
	Role credentials.AssumeRoleOptions

	// Actions are what the credentials permit, as far as the role does. Empty means
	// vod:CreateUploadVideo. The uploader also calls vod:CreateUploadImage for images,
	// and vod:RefreshUploadVideo to resume: a user who has the latter can replace the
	// file of every video whose ID is known.
	Actions []string

	// Allow decides whether the owner may have credentials. It is required. Errors are
	// handled as those of Config.Policy.
	Allow func(ctx context.Context, owner string) error
}

const (
	defaultSession = 15 * time.Minute
	maxSession     = time.Hour
)

var (
	action      = regexp.MustCompile(`^[a-z0-9]+:[A-Za-z0-9]+$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
)

func (s *STS) check() error {
	switch {
	case s == nil:
		return nil
	case s.Allow == nil:
		return errors.New("webupload: STS.Allow: is required")
	case s.Role.RoleArn == "":
		return errors.New("webupload: STS.Role: RoleArn is required")
	case s.Role.Duration != 0 && (s.Role.Duration < defaultSession || s.Role.Duration > maxSession):
		return errors.New("webupload: STS.Role: Duration must be between 15 minutes and one hour")
	case slices.ContainsFunc(s.Actions, func(a string) bool { return !action.MatchString(a) }):
		return errors.New("webupload: STS.Actions: an action is not a name such as vod:CreateUploadVideo, without wildcards")
	}
	return nil
}

// sessionPolicy permits the actions and nothing else.
func (s *STS) sessionPolicy() string {
	if s.Role.Policy != "" {
		return s.Role.Policy
	}
	actions := s.Actions
	if len(actions) == 0 {
		actions = []string{"vod:CreateUploadVideo"}
	}
	type statement struct {
		Effect   string
		Action   []string
		Resource string
	}
	text, _ := json.Marshal(map[string]any{"Version": "1", "Statement": []statement{{"Allow", actions, "*"}}}) // text only
	return string(text)
}

func sessionOf(owner string) string {
	if sessionName.MatchString(owner) {
		return owner
	}
	sum := sha256.Sum256([]byte(owner))
	return "web-" + hex.EncodeToString(sum[:16])
}

// assume makes a session of its own for each request.
func (h *Handler) assume(ctx context.Context, c call) (reply, error) {
	if h.cfg.STS == nil {
		return reply{}, errNotHere
	}
	if err := object(c.body, nil); err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, serviceTime)
	defer cancel()
	if err := h.cfg.STS.Allow(ctx, c.owner); err != nil {
		return reply{}, err
	}
	role := h.cfg.STS.Role
	role.Duration = cmp.Or(role.Duration, defaultSession)
	role.SessionName = cmp.Or(role.SessionName, sessionOf(c.owner))
	role.Policy = h.cfg.STS.sessionPolicy()
	keys, err := credentials.Ask(ctx, credentials.AssumeRole(h.cfg.STS.Source, role))
	if err != nil {
		return reply{}, &Refusal{Status: http.StatusBadGateway, Code: "ServiceError", Message: "The media service did not carry out the request.", cause: err}
	}
	// Here credentials leave the process.
	return reply{status: http.StatusOK, body: struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }{
		keys.AccessKeyId, keys.AccessKeySecret, keys.SecurityToken, keys.Expires.UTC().Format(time.RFC3339),
	}}, nil
}
