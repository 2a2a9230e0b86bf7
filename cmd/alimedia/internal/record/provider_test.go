package record

import "github.com/alimedia/alimedia-go/credentials"

type provider struct{ id, secret string }

func (p provider) static() credentials.Provider { return credentials.Static(p.id, p.secret, "") }
