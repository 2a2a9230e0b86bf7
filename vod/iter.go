package vod

import (
	"context"
	"iter"
	"strings"

	"github.com/alimedia/alimedia-go/internal/rpc"
)

// How far a search reaches: with a ScrollToken, and by page number alone.
const (
	mostScrolled = 2_000_000
	mostPaged    = 5_000
)

// SearchMediaIter yields all that [Client.SearchMedia] finds, one call per
// page. It passes ScrollTokens by itself, and so reaches 2,000,000 videos or
// audios; with a second field to sort by, and for images and attached media,
// the service lets a search reach 5,000. Where there is more, the last thing
// is an error.
func (c *Client) SearchMediaIter(ctx context.Context, req SearchMediaRequest) iter.Seq2[Media, error] {
	scrolls := (req.SearchType == "" || req.SearchType == "video" || req.SearchType == "audio") && !strings.Contains(req.SortBy, ",")
	most := int64(mostPaged)
	if scrolls {
		most = mostScrolled
	}
	return rpc.Scroll(ctx, c.SearchMedia, req, most,
		func(in *SearchMediaRequest) (page, size *int32, token *string) {
			if scrolls {
				token = &in.ScrollToken
			}
			return &in.PageNo, &in.PageSize, token
		},
		func(out *SearchMediaResponse) ([]Media, int64, string) {
			return out.MediaList, out.Total, out.ScrollToken
		})
}

// DescribeVodDomainLogIter yields the log files of all pages of
// [Client.DescribeVodDomainLog], one call per page.
func (c *Client) DescribeVodDomainLogIter(ctx context.Context, req DescribeVodDomainLogRequest) iter.Seq2[DomainLogInfo, error] {
	return rpc.Numbers(ctx, c.DescribeVodDomainLog, req, 1,
		func(in *DescribeVodDomainLogRequest) (page, size *int64) { return &in.PageNumber, &in.PageSize },
		func(out *DescribeVodDomainLogResponse) (files []DomainLogInfo, total int64) {
			for _, domain := range out.DomainLogDetails.DomainLogDetail {
				files = append(files, domain.LogInfos.LogInfoDetail...)
				total += domain.PageInfos.Total
			}
			return files, total
		})
}
