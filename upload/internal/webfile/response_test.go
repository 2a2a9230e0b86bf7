package webfile

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpen_B55_Validators(t *testing.T) {
	t.Parallel()
	const last, minute, soon = "Wed, 25 Nov 2026 12:00:00 GMT", "Wed, 25 Nov 2026 12:01:00 GMT", "Wed, 25 Nov 2026 12:00:59 GMT"
	for _, tt := range []struct{ etag, modified, date, wantTag, wantDate string }{
		{`"a"`, last, minute, `"a"`, ""}, {`W/"a"`, last, minute, "", last}, {"", last, minute, "", last}, {"", last, soon, "", ""}, {"", last, "", "", ""},
		{"", "yesterday", minute, "", ""}, {"", minute, last, "", ""}, {`""`, "", "", "", ""}, {"a", "", "", "", ""},
	} {
		etag, modified := validators(http.Header{"Etag": {tt.etag}, "Last-Modified": {tt.modified}, "Date": {tt.date}})
		require.Equal(t, tt.wantTag+" "+tt.wantDate, etag+" "+modified, "%v", tt)
	}
}
