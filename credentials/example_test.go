package credentials_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alimedia/alimedia-go/credentials"
)

func ExampleStatic() {
	p := credentials.Static("LTAI5tExampleKeyId", "example-secret", "")
	c, err := p.Credentials(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", c)
	// Output: Credentials{AccessKeyId:"LTAI***", AccessKeySecret:"***", Source:"Static"}
}

// A role that the keys in the environment may assume, or else the role of the
// instance.
func ExampleChain() {
	p := credentials.Chain(
		credentials.AssumeRole(credentials.Env(), credentials.AssumeRoleOptions{
			RoleArn:  "acs:ram::123456789012:role/uploader",
			Region:   "cn-shanghai",
			Duration: 30 * time.Minute,
		}),
		credentials.ECSRole("uploader", credentials.ECSOptions{}),
	)
	fmt.Println(p)
	// Output: Chain
}

// A source of one's own, asked no more often than needed.
func ExampleCached() {
	p := credentials.Cached(vault{})
	c, err := p.Credentials(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Source)
	// Output: vault
}

type vault struct{}

func (vault) Credentials(context.Context) (credentials.Credentials, error) {
	return credentials.Credentials{
		AccessKeyId:     "STS.ExampleKeyId",
		AccessKeySecret: "example-secret",
		SecurityToken:   "example-token",
		Expires:         time.Now().Add(time.Hour),
		Source:          "vault",
	}, nil
}
