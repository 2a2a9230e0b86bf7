package main

import (
	"context"
	"fmt"
)

func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// unsigned:         HTTP 403  denied by req auth: no url arg auth_key
	// signed:           HTTP 200  the film
	// 31 minutes later: HTTP 403  denied by req auth: expired timestamp
}
