package search_test

import (
	"fmt"

	"github.com/alimedia/alimedia-go/search"
)

func Example() {
	title := "it's a cat" // from a user
	match, err := search.And(
		search.Eq("Title", title),
		search.In("Status", "Normal", "Uploading"),
		search.Or(search.Eq("CateId", 1000), search.From("Size", 1<<20)),
	).Match()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(match)
	// Output: Title = "it's a cat" and Status in ('Normal','Uploading') and (CateId = 1000 or Size = [1048576,))
}
