// Package advice says what error codes of the services mean and what a caller
// can do about them. The table of the operations is generated from
// api/reference.
package advice

import (
	"cmp"
	"slices"
	"strings"
)

// entry is the advice for a code of an operation. Codes are in lower case.
type entry struct{ product, action, code, text string }

// Of returns the advice for a code that an operation of a product returned, or
// else for a code that all operations share. It returns an empty string for an
// unknown code. The case of the code does not matter.
func Of(product, action, code string) string {
	code = strings.ToLower(code)
	for code != "" {
		if text := ofOperation(product, action, code); text != "" {
			return text
		}
		if text := common[code]; text != "" {
			return text
		}
		dot := strings.LastIndexByte(code, '.')
		if dot < 0 {
			break
		}
		code = code[:dot] // Throttling.User is a kind of Throttling
	}
	return ""
}

func ofOperation(product, action, code string) string {
	wanted := entry{product: product, action: action, code: code}
	at, found := slices.BinarySearchFunc(operations[:], wanted, compare)
	if !found {
		return ""
	}
	return operations[at].text
}

// compare orders entries as the generator writes them.
func compare(a, b entry) int {
	return cmp.Or(cmp.Compare(a.product, b.product), cmp.Compare(a.action, b.action), cmp.Compare(a.code, b.code))
}

// common has the codes that the gateway or every operation returns.
var common = map[string]string{
	"throttling":                   "Too many calls. Call less often, or set Config.RateLimit.",
	"serviceunavailable":           "The service is temporarily unavailable. Call again later.",
	"internalerror":                "The service failed. Call again, and contact the support with the request ID if it lasts.",
	"invalidaccesskeyid.notfound":  "The AccessKey ID does not exist. Check it, and check that the endpoint belongs to the same site.",
	"invalidaccesskeyid.inactive":  "The AccessKey is disabled. Enable it in the RAM console, or use another one.",
	"invalidsecuritytoken.expired": "The security token has expired. Obtain new credentials, or use a provider that refreshes them.",
	"invalidsecuritytoken":         "The security token does not belong to the AccessKey. Use both from one response of STS.",
	"signaturedoesnotmatch":        "The AccessKey secret is wrong, or something between changed the request.",
	"incompletesignature":          "The request lost a part of its signature. Check proxies between.",
	"invalidtimestamp.expired":     "The clock of this machine is wrong. Synchronize it.",
	"invalidtimestamp":             "The clock of this machine is wrong. Synchronize it.",
	"signaturenonceused":           "The request arrived twice. Check the outcome before calling again.",
	"missingparameter":             "A required parameter is missing. The message names it.",
	"invalidparameter":             "A parameter is invalid. The message names it.",
	"operationdenied":              "The service is not activated for the account. Activate it in the console.",
	"operationdenied.suspended":    "The account has an overdue payment. Settle it.",
	"forbidden":                    "The credentials lack the permission. Grant the RAM action of the operation.",
	"forbidden.ram":                "The credentials lack the permission. Grant the RAM action of the operation.",
	"nopermission":                 "The credentials lack the permission. Grant the RAM action of the operation.",
	"invalidapi.notfound":          "The endpoint does not offer the operation. Check Config.Region and Config.Endpoint.",
	"invalidproduct.notfound":      "The endpoint does not offer the service. Check Config.Region and Config.Endpoint.",
	"invalidprotocol.needssl":      "The operation requires HTTPS. Use an endpoint without http://.",
	"invalidregionid":              "The region does not exist or does not offer the service. Check Config.Region.",
	"unsupportedoperation":         "The service does not support the operation for this resource.",
	"accessdenied":                 "The credentials lack the permission. Grant the action, or check the policy of the bucket.",
	"invalidaccesskeyid":           "The AccessKey ID does not exist or is disabled. Check the credentials.",
	"nosuchbucket":                 "The bucket does not exist. Check its name and region.",
	"requesttimetooskewed":         "The clock of this machine is wrong. Synchronize it.",
	"invaliduser.notfound":         "The user of the credentials does not exist. Check the credentials.",
}
