package rpc

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alimedia/alimedia-go"
)

// maxErrorText bounds what of a body that is not JSON goes into an error.
const maxErrorText = 1 << 10

// apiError reads the error envelope. What is not JSON, such as a gateway's
// HTML page, gives an error with the status and the beginning of the text.
func (a *attempt) apiError(body []byte) error {
	e := &alimedia.Error{Action: a.op.Action, StatusCode: a.status}
	var envelope struct {
		RequestId, HostId, Code, Message, Recommend string
		AccessDeniedDetail                          map[string]any
	}
	if looksLikeJSON(body) && Decode(body, &envelope) == nil {
		e.Code, e.Message, e.RequestId, e.HostId = envelope.Code, envelope.Message, envelope.RequestId, envelope.HostId
		e.Recommend, e.AccessDeniedDetail = envelope.Recommend, envelope.AccessDeniedDetail
	}
	e.RequestId = cmp.Or(e.RequestId, a.header.Get("x-acs-request-id"))
	if e.Code == "" && e.Message == "" {
		e.Message = excerpt(body)
	}
	switch {
	case alimedia.HasCode(e, "SignatureDoesNotMatch"), alimedia.HasCode(e, "IncompleteSignature"):
		e.Message = a.explainSignature(e.Message)
	case alimedia.IsAccessDenied(e) && !a.op.Anonymous:
		e.Message = strings.TrimSpace(fmt.Sprintf("%s (RAM action %s:%s)", e.Message, a.svc.Product, a.op.Action))
	case alimedia.HasCode(e, "InvalidApi.NotFound"), alimedia.HasCode(e, "InvalidProduct.NotFound"):
		e.Message = strings.TrimSpace(fmt.Sprintf("%s (asked at %s: does this region offer the operation?)", e.Message, a.base.Host))
	}
	e.Message = a.redact(e.Message)
	return e
}

// explainSignature compares what was signed with the text the service says it
// signed, and names the first line that differs. The service's text itself is
// dropped: it holds every parameter and the security token.
func (a *attempt) explainSignature(message string) string {
	head := message
	for _, mark := range []string{"server string to sign", "server StringToSign", "server CanonicalRequest", "stringToSign"} {
		if i := strings.Index(strings.ToLower(message), strings.ToLower(mark)); i >= 0 && i < len(head) {
			head = message[:i]
		}
	}
	if len(head) == len(message) {
		return excerpt([]byte(message))
	}
	head = strings.TrimRight(head, " .,:;\n")
	server := message[len(head):]
	if line := a.signed.differing(server); line != "" {
		return fmt.Sprintf("%s; the service signed another %s than we did: is something on the way changing the request?", head, line)
	}
	return head + "; the service signed the same text: the AccessKeySecret does not belong to this AccessKeyId"
}

func excerpt(body []byte) string {
	body = bytes.TrimSpace(body)
	if len(body) > maxErrorText {
		body = body[:maxErrorText]
		for len(body) > 0 && !utf8.Valid(body[max(0, len(body)-utf8.UTFMax):]) {
			body = body[:len(body)-1]
		}
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " ")
}

// redact takes the secrets of this attempt out of text the service sent.
func (a *attempt) redact(text string) string {
	authorization := a.signed.header.Get("Authorization")
	_, signature, _ := strings.Cut(authorization, "Signature=")
	for _, secret := range []string{a.keys.AccessKeySecret, a.keys.SecurityToken, signature} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}
