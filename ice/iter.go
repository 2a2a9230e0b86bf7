package ice

import (
	"context"
	"iter"

	"github.com/alimedia/alimedia-go/internal/rpc"
)

// SearchMediaIter yields all that [Client.SearchMedia] finds, one call per
// page. From the second page on it passes the ScrollToken of the response before,
// without which a search does not reach deep.
func (c *Client) SearchMediaIter(ctx context.Context, req SearchMediaRequest) iter.Seq2[MediaInfo, error] {
	return rpc.Scroll(ctx, c.SearchMedia, req, 0,
		func(in *SearchMediaRequest) (page, size *int32, token *string) {
			return &in.PageNo, &in.PageSize, &in.ScrollToken
		},
		func(out *SearchMediaResponse) ([]MediaInfo, int64, string) {
			return out.MediaInfoList, out.Total, out.ScrollToken
		})
}
