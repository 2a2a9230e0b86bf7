package mediatest

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The operations of the Security Token Service.

var stsOperations = map[string]operation{
	"GetCallerIdentity":  getCallerIdentity,
	"AssumeRole":         assumeRole,
	"AssumeRoleWithOIDC": assumeRoleWithOIDC,
}

func getCallerIdentity(c *call) (fields, error) {
	acc, k := c.Account, c.by
	f := fields{"AccountId": acc.id}
	if k.role == "" {
		maps.Copy(f, fields{
			"IdentityType": "RAMUser", "Arn": "acs:ram::" + acc.id + ":user/" + k.user,
			"PrincipalId": acc.userID, "UserId": acc.userID,
		})
		return f, nil
	}
	maps.Copy(f, fields{
		"IdentityType": "AssumedRoleUser", "Arn": k.assumedArn(),
		"PrincipalId": acc.roles[k.role] + ":" + k.session, "RoleId": acc.roles[k.role],
	})
	return f, nil
}

func (k *key) assumedArn() string {
	return "acs:ram::" + k.owner.id + ":assumed-role/" + k.role + "/" + k.session
}

var (
	roleArn     = regexp.MustCompile(`^acs:ram::([0-9]+):role/([A-Za-z0-9.-]{1,64})$`)
	roleSession = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
)

// assumption is what a caller asks of a role.
type assumption struct {
	acc           *Account
	role, session string
	life          time.Duration
	policy        *policy // of the session; nil: what the role may do
}

// assumption reads the parameters of AssumeRole and its like. Every role of a known
// account is there.
func (c *call) assumption() (assumption, error) {
	var a assumption
	if err := c.need("RoleArn", "RoleSessionName"); err != nil {
		return a, err
	}
	m := roleArn.FindStringSubmatch(c.get("RoleArn"))
	if m == nil {
		return a, refused(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.")
	}
	if !roleSession.MatchString(c.get("RoleSessionName")) {
		return a, refused(400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.")
	}
	a.life = time.Hour
	if text := c.get("DurationSeconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 900 || seconds > 43200 {
			return a, refused(400, "InvalidParameter.DurationSeconds", "The Min/Max value of DurationSeconds is 15min/1hr.")
		}
		a.life = time.Duration(seconds) * time.Second
	}
	if text := c.get("Policy"); text != "" {
		p, err := parsePolicy(text)
		if err != nil || len(text) > maxPolicy {
			return a, refused(400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check.")
		}
		a.policy = p
	}
	a.role, a.session = m[2], c.get("RoleSessionName")
	if a.acc = c.account(m[1]); a.acc == nil {
		return a, refused(404, "EntityNotExist.Role", "The specified Role not exists.")
	}
	return a, nil
}

const maxPolicy = 2048

// assumed makes the credentials and the answer that has them.
func (a assumption) assumed() fields {
	k := a.acc.assume(a.role, a.session, a.life)
	k.policy = a.policy
	return fields{
		"Credentials": fields{
			"AccessKeyId": k.AccessKeyId, "AccessKeySecret": k.AccessKeySecret,
			"SecurityToken": k.SecurityToken, "Expiration": k.Expires.Format(timeFormat),
		},
		"AssumedRoleUser": fields{"Arn": k.assumedArn(), "AssumedRoleId": a.acc.roles[k.role] + ":" + k.session},
	}
}

// assumeRole takes every role for one that trusts the caller.
func assumeRole(c *call) (fields, error) {
	a, err := c.assumption()
	if err != nil {
		return nil, err
	}
	return a.assumed(), nil
}

const maxOIDCToken = 20000

// assumeRoleWithOIDC needs no signature: the token says who asks.
func assumeRoleWithOIDC(c *call) (fields, error) {
	a, err := c.assumption()
	if err != nil {
		return nil, err
	}
	if err := c.need("OIDCProviderArn"); err != nil {
		return nil, err
	}
	p, token := c.providers[c.get("OIDCProviderArn")], c.get("OIDCToken")
	switch {
	case token == "":
		return nil, badToken("Invalid", "The OIDCToken can not empty.")
	case len(token) < 4 || len(token) > maxOIDCToken:
		return nil, badToken("Invalid", "The Jwt content is invalid that cannot be recognized.")
	case p == nil:
		return nil, refused(401, "AuthenticationFail.NoPermission", "No such OIDC Provider registered.")
	case p.acc != a.acc:
		return nil, refused(401, "AuthenticationFail.NoPermission", "There is no permission")
	}
	claims, err := p.verify(token, c.now)
	if err != nil {
		return nil, err
	}
	answer := a.assumed()
	answer["OIDCTokenInfo"] = fields{
		"Subject": claims.Sub, "Issuer": claims.Iss, "ClientIds": strings.Join(claims.Aud, ","), "VerificationInfo": "Success",
		"IssuanceTime": time.Unix(claims.Iat, 0).UTC().Format(timeFormat), "ExpirationTime": time.Unix(claims.Exp, 0).UTC().Format(timeFormat),
	}
	return answer, nil
}
