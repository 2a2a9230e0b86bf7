package webfile

import (
	"net/url"
	"strings"
)

// Identity is what a URL is recognized by in a later run: its origin and path,
// and its query without signatures, which differ each time. Callers must not
// store the query as it is: it may contain other secrets.
func Identity(u *url.URL) (address, query string) {
	fields := u.Query()
	lower := make(map[string]string, len(fields))
	for name := range fields {
		lower[strings.ToLower(name)] = name
	}
	for _, set := range signatures {
		sign, others, _ := strings.Cut(set, " ")
		if _, signed := lower[sign]; !signed {
			continue
		}
		delete(fields, lower[sign])
		for _, name := range strings.Fields(others) {
			delete(fields, lower[name])
		}
	}
	return Origin(u) + u.EscapedPath(), fields.Encode()
}

// signatures are the parameters of signed URLs, a line for each scheme: the
// signature, then the parameters that go with it.
var signatures = []string{
	"x-oss-signature x-oss-signature-version x-oss-credential x-oss-date x-oss-expires x-oss-security-token x-oss-additional-headers",
	"signature expires ossaccesskeyid security-token awsaccesskeyid x-amz-security-token googleaccessid key-pair-id policy",
	"x-amz-signature x-amz-algorithm x-amz-credential x-amz-date x-amz-expires x-amz-security-token x-amz-signedheaders",
	"x-goog-signature x-goog-algorithm x-goog-credential x-goog-date x-goog-expires x-goog-signedheaders",
	"x-tos-signature x-tos-algorithm x-tos-credential x-tos-date x-tos-expires x-tos-security-token x-tos-signedheaders",
	"q-signature q-sign-algorithm q-ak q-sign-time q-key-time q-header-list q-url-param-list x-cos-security-token",
	"sig sv se st sp sr spr skoid sktid skt ske sks skv",
	"auth_key",
}
