package ice_test

import (
	"context"
	"fmt"
	"log"

	"github.com/alimedia/alimedia-go"
	"github.com/alimedia/alimedia-go/ice"
	"github.com/alimedia/alimedia-go/mediatest"
)

// Make a template of a recording, record a stream by it, and read the job.
func ExampleClient_SubmitLiveRecordJob() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	template, err := media.CreateLiveRecordTemplate(ctx, ice.CreateLiveRecordTemplateRequest{
		Name:         "hourly",
		RecordFormat: []ice.LiveRecordFormat{{Format: "mp4", CycleDuration: 3600, OssObjectPrefix: "record/{StartTime}_{EndTime}"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	out, err := media.SubmitLiveRecordJob(ctx, ice.SubmitLiveRecordJobRequest{
		Name: "concert", TemplateId: template.TemplateId,
		StreamInput:  ice.LiveStreamInput{Type: "rtmp", Url: "rtmp://live.example.com/app/concert"},
		RecordOutput: ice.LiveRecordOutput{Type: "oss", Bucket: "example-bucket", Endpoint: "oss-cn-shanghai.aliyuncs.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	job, err := media.GetLiveRecordJob(ctx, ice.GetLiveRecordJobRequest{JobId: out.JobId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(job.RecordJob.Name, job.RecordJob.TemplateId == template.TemplateId, job.RecordJob.RecordOutput.Bucket)
	// Output: concert true example-bucket
}

// Make a channel group of live packaging, find it, and delete it.
func ExampleClient_CreateLivePackageChannelGroup() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	create := ice.CreateLivePackageChannelGroupRequest{GroupName: "sports", Description: "all matches"}
	if _, err := media.CreateLivePackageChannelGroup(ctx, create); err != nil {
		log.Fatal(err)
	}
	_, err := media.CreateLivePackageChannelGroup(ctx, create)
	fmt.Println("there already:", alimedia.IsAlreadyExists(err))

	for group, err := range media.ListLivePackageChannelGroupsIter(ctx, ice.ListLivePackageChannelGroupsRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(group.GroupName, "-", group.Description)
	}
	if _, err := media.DeleteLivePackageChannelGroup(ctx, ice.DeleteLivePackageChannelGroupRequest{GroupName: "sports"}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// there already: true
	// sports - all matches
}

// Allow one more sender to push streams, and delete the list of senders.
func ExampleClient_CreateMediaLiveInputSecurityGroup() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateMediaLiveInputSecurityGroup(ctx, ice.CreateMediaLiveInputSecurityGroupRequest{Name: "studio", WhitelistRules: []string{"192.0.2.0/24"}})
	if err != nil {
		log.Fatal(err)
	}
	_, err = media.UpdateMediaLiveInputSecurityGroup(ctx, ice.UpdateMediaLiveInputSecurityGroupRequest{
		SecurityGroupId: out.SecurityGroupId, Name: "studio", WhitelistRules: []string{"192.0.2.0/24", "198.51.100.7/32"},
	})
	if err != nil {
		log.Fatal(err)
	}
	got, err := media.GetMediaLiveInputSecurityGroup(ctx, ice.GetMediaLiveInputSecurityGroupRequest{SecurityGroupId: out.SecurityGroupId})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.SecurityGroup.Name, got.SecurityGroup.WhitelistRules)

	if _, err := media.DeleteMediaLiveInputSecurityGroup(ctx, ice.DeleteMediaLiveInputSecurityGroupRequest{SecurityGroupId: out.SecurityGroupId}); err != nil {
		log.Fatal(err)
	}
	_, err = media.GetMediaLiveInputSecurityGroup(ctx, ice.GetMediaLiveInputSecurityGroupRequest{SecurityGroupId: out.SecurityGroupId})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// studio [192.0.2.0/24 198.51.100.7/32]
	// gone: true
}

// Make a flow that carries a stream between regions, and put it on line.
func ExampleClient_CreateMediaConnectFlow() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateMediaConnectFlow(ctx, ice.CreateMediaConnectFlowRequest{FlowName: "feed", FlowRegion: "cn-shanghai"})
	if err != nil {
		log.Fatal(err)
	}
	id := out.Content.FlowId
	if _, err := media.UpdateMediaConnectFlowStatus(ctx, ice.UpdateMediaConnectFlowStatusRequest{FlowId: id, Status: "online"}); err != nil {
		log.Fatal(err)
	}
	got, err := media.GetMediaConnectFlow(ctx, ice.GetMediaConnectFlowRequest{FlowId: id})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Content.FlowName, got.Content.FlowRegion, got.Content.FlowStatus)

	if _, err := media.DeleteMediaConnectFlow(ctx, ice.DeleteMediaConnectFlowRequest{FlowId: id}); err != nil {
		log.Fatal(err)
	}
	// Output: feed cn-shanghai online
}

// Make a linear channel of recorded programs, start it, and read its state.
func ExampleClient_CreateChannel() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	_, err := media.CreateChannel(ctx, ice.CreateChannelRequest{
		ChannelName: "classics", ChannelTier: "basic", PlaybackMode: "loop",
		OutPutConfigList: []ice.ChannelOutputConfig{{ManifestName: "main", Format: "hls", SourceGroupName: "hd"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := media.StartChannel(ctx, ice.StartChannelRequest{ChannelName: "classics"}); err != nil {
		log.Fatal(err)
	}
	got, err := media.GetChannel(ctx, ice.GetChannelRequest{ChannelName: "classics"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Channel.PlaybackMode, got.Channel.State) // 1: it runs

	if _, err := media.StopChannel(ctx, ice.StopChannelRequest{ChannelName: "classics"}); err != nil {
		log.Fatal(err)
	}
	if _, err := media.DeleteChannel(ctx, ice.DeleteChannelRequest{ChannelName: "classics"}); err != nil {
		log.Fatal(err)
	}
	// Output: loop 1
}

// Make a group of assets that are packaged when they are played, and list the groups.
func ExampleClient_CreateVodPackagingGroup() {
	srv := mediatest.Start()
	defer srv.Close()
	media, ctx := client(srv), context.Background()

	out, err := media.CreateVodPackagingGroup(ctx, ice.CreateVodPackagingGroupRequest{GroupName: "films", Description: "all films"})
	if err != nil {
		log.Fatal(err)
	}
	for group, err := range media.ListVodPackagingGroupsIter(ctx, ice.ListVodPackagingGroupsRequest{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(group.GroupName == out.PackagingGroup.GroupName, group.Description)
	}
	if _, err := media.DeleteVodPackagingGroup(ctx, ice.DeleteVodPackagingGroupRequest{GroupName: "films"}); err != nil {
		log.Fatal(err)
	}
	_, err = media.GetVodPackagingGroup(ctx, ice.GetVodPackagingGroupRequest{GroupName: "films"})
	fmt.Println("gone:", alimedia.IsNotFound(err))
	// Output:
	// true all films
	// gone: true
}
