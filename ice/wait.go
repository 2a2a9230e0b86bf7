package ice

import (
	"context"

	"github.com/alimedia/alimedia-go/internal/rpc"
)

// WaitVodPackagingAsset asks [Client.GetVodPackagingAsset] until all its
// endpoints are Playable. One that has Failed is an [alimedia.JobError]. The last
// response is returned in any case, also when ctx ends.
func (c *Client) WaitVodPackagingAsset(ctx context.Context, assetName string) (*GetVodPackagingAssetResponse, error) {
	return rpc.Wait(ctx, assetName, rpc.Ends{Good: "Playable", Bad: "Failed"},
		func(ctx context.Context) (*GetVodPackagingAssetResponse, error) {
			return c.GetVodPackagingAsset(ctx, GetVodPackagingAssetRequest{AssetName: assetName})
		},
		func(asset *GetVodPackagingAssetResponse) rpc.State {
			return allOf(asset.Asset.EgressEndpoints, func(e VodEgressEndpoint) string { return e.Status }, "Playable", "Failed")
		})
}

// WaitMediaIndexJob asks [Client.QueryMediaIndexJob] until all jobs of the asset
// in the search library have ended in Success; ims-default-search-lib is taken
// when searchLibName is empty. One that ended in Fail is an [alimedia.JobError].
// The last response is returned in any case, also when ctx ends.
func (c *Client) WaitMediaIndexJob(ctx context.Context, searchLibName, mediaId string) (*QueryMediaIndexJobResponse, error) {
	return rpc.Wait(ctx, mediaId, rpc.Ends{Good: "Success", Bad: "Fail"},
		func(ctx context.Context) (*QueryMediaIndexJobResponse, error) {
			return c.QueryMediaIndexJob(ctx, QueryMediaIndexJobRequest{MediaId: mediaId, SearchLibName: searchLibName})
		},
		func(jobs *QueryMediaIndexJobResponse) rpc.State {
			return allOf(jobs.IndexJobInfoList, func(j MediaIndexJob) string { return j.Status }, "Success", "Fail")
		})
}

// allOf is the state of several parts: good when all of them are, bad when one
// is, else that of a part that goes on.
func allOf[Part any](parts []Part, status func(Part) string, good, bad string) rpc.State {
	state := rpc.State{}
	for i, part := range parts {
		switch s := status(part); {
		case s == bad:
			return rpc.State{Status: bad}
		case i == 0 || s != good:
			state.Status = s
		}
	}
	return state
}
